/**
 * A certificate authority for one run: a PEM file for clients, and a server certificate for 127.0.0.1, localhost and
 * AWS's names.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** The server's key, in PEM. */
  readonly key: string;
  readonly cert: string;
  /** For NODE_EXTRA_CA_CERTS and AWS_CA_BUNDLE. */
  readonly caFile: string;
  /** For a client inside this process. */
  readonly ca: string;
  readonly remove: () => Promise<void>;
}

/**
 * @param regions with host names (`sts.REGION.amazonaws.com`) in the certificate
 * @param names of the server, instead of this machine's
 */
export async function createCertificates(
  regions: readonly string[] = [],
  names?: readonly string[],
): Promise<Certificates> {
  // Imported here, because loading it takes a fifth of a test file's start.
  const { generate } = await import('selfsigned');
  const yesterday = new Date(Date.now() - 86_400_000);
  const common = { keyType: 'ec', algorithm: 'sha256', notBeforeDate: yesterday } as const;
  const authority = await generate([{ name: 'commonName', value: 'Local AWS test authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...(names?.map((value) => ({ type: 2 as const, value })) ?? [
            { type: 2 as const, value: 'localhost' },
            { type: 7 as const, ip: '127.0.0.1' },
          ]),
          ...regions.map((region) => ({ type: 2 as const, value: `*.${region}.amazonaws.com` })),
        ],
      },
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), 'local-aws-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.cert);
  return {
    key: server.private,
    cert: server.cert,
    caFile,
    ca: authority.cert,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
