/**
 * Signature Version 4 for requests without a command in the AWS SDK: a WebSocket's request, signed in its headers or
 * its URL.
 */
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';

export interface Signer {
  /** The name in the signature's scope, e.g. `ssmmessages`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity;
  /** AWS's time: this machine's time, corrected by the SDK's `systemClockOffset`. */
  readonly date: Date;
}

/**
 * Presigns a GET of the URL: the signature is in the query.
 *
 * @param seconds until it expires
 * @source IAM User Guide, "Create a signed AWS API request"
 */
export async function presign(url: URL, signer: Signer, seconds: number): Promise<URL> {
  const options = { signingDate: signer.date, expiresIn: seconds };
  const { query = {} } = await signatureOf(signer).presign(requestFor(url), options);
  const signed = new URL(url);
  // URLSearchParams writes a space as +, but the signature is calculated with %20.
  signed.search = Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&');
  return signed;
}

/** The headers that sign a GET of the URL. */
export async function signHeaders(url: URL, signer: Signer): Promise<Record<string, string>> {
  const { headers } = await signatureOf(signer).sign(requestFor(url), { signingDate: signer.date });
  return headers;
}

function signatureOf({ service, region, credentials }: Signer): SignatureV4 {
  return new SignatureV4({ service, region, credentials, sha256: Hash.bind(null, 'sha256') });
}

function requestFor(url: URL): HttpRequest {
  return {
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    // With the port, if it is not the scheme's default, as Node sends it.
    headers: { host: url.host },
  };
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
