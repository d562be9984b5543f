/** A key in a security key, for tests: it signs as one does (openssh-portable, PROTOCOL.u2f), and ssh-keygen checks it. */
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readCertificateFields } from '../../src/keys/certificate-fields.ts';
import { string, WireReader } from '../../src/keys/wire.ts';
import { writeSignature } from '../../src/keys/signature.ts';
import { memorySigner } from './memory-signer.ts';

export interface SecurityKey {
  /** In wire form. */
  readonly blob: Buffer;
  /** `TYPE BASE64` */
  readonly line: string;
  readonly sign: (data: Buffer) => Buffer;
}

const types = {
  ed25519: ['sk-ssh-ed25519@openssh.com', 'ssh-ed25519', null],
  nistp256: ['sk-ecdsa-sha2-nistp256@openssh.com', 'ecdsa-sha2-nistp256', 'sha256'],
} as const;

export function securityKey(kind: keyof typeof types, application = 'ssh:'): SecurityKey {
  const [type, algorithm, hash] = types[kind];
  const { publicKey, pem } = memorySigner(kind);
  const reader = new WireReader(publicKey.blob);
  reader.string();
  const blob = Buffer.concat([string(type), reader.rest, string(application)]);
  const privateKey = createPrivateKey(pem);
  const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();
  return {
    blob,
    line: `${type} ${blob.toString('base64')}`,
    sign: (data) => {
      // User present, and the seventh signature.
      const state = Buffer.from([1, 0, 0, 0, 7]);
      const signed = sign(hash, Buffer.concat([sha256(application), state, sha256(data)]), privateKey);
      const fields = new WireReader(writeSignature(algorithm, signed));
      fields.string();
      return Buffer.concat([string(type), string(fields.string()), state]);
    },
  };
}

/** The same certificate, by another authority. */
export function signedBy(authority: SecurityKey, certificate: Buffer): Buffer {
  const fields = readCertificateFields(certificate);
  const { data } = fields.signed;
  const before = data.subarray(0, data.length - string(fields.authority).length);
  const signed = Buffer.concat([before, string(authority.blob)]);
  return Buffer.concat([signed, string(authority.sign(signed))]);
}
