/** Signature Version 4 for what the AWS SDK has no command for: a WebSocket's request, signed in its headers or in its URL. */
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';

export interface Signer {
  /** As the signature's scope names it, e.g. `ssmmessages`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity;
  /** AWS's time: that of this machine, put right by what the AWS SDK has learnt of it (`systemClockOffset`). */
  readonly date: Date;
}

/**
 * A GET of the URL with the signature in its query.
 *
 * @param seconds in which it can be used
 * @source IAM User Guide, "Create a signed AWS API request"
 */
export async function presign(url: URL, signer: Signer, seconds: number): Promise<URL> {
  const options = { signingDate: signer.date, expiresIn: seconds };
  const { query = {} } = await signatureOf(signer).presign(requestFor(url), options);
  const signed = new URL(url);
  // By hand: URLSearchParams writes a space as +, and the signature is over %20.
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
    // With the port where it is not the scheme's own, as Node sends it.
    headers: { host: url.host },
  };
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
