/** Addresses without a working service. */
import { startLocalAws } from '../support/aws/local-aws.ts';
import { createCertificates } from '../support/aws/wire/certificates.ts';
import { serve } from '../support/aws/wire/http-server.ts';
import type { Call } from './calls.ts';

export interface Places {
  /** Nobody listens there. */
  readonly closed: string;
  /** No name server knows it (RFC 6761, `invalid`). */
  readonly unnamed: string;
  /** TLS with an untrusted certificate. */
  readonly untrusted: string;
  /** TLS with a trusted certificate, which names another host. */
  readonly misnamed: string;
  /** What listens there knows no TLS. */
  readonly plain: string;
  /** Trusts the authority of `misnamed`, and asks a name server that says nothing once only. */
  readonly env: Readonly<Record<string, string>>;
}

export async function openPlaces(): Promise<{ places: Places; close: () => Promise<void> }> {
  const [stranger, certificates] = await Promise.all([
    startLocalAws({ tls: true }),
    createCertificates([], ['other.example.test']),
  ]);
  const handle = () => Promise.resolve({ status: 200, headers: {}, body: '{}' });
  const [misnamed, plain] = await Promise.all([serve({ handle, tls: certificates }), serve({ handle })]);
  return {
    places: {
      closed: 'http://127.0.0.1:9',
      // Tokens are only sent to another machine with HTTPS.
      unnamed: 'https://nobody.invalid',
      untrusted: stranger.endpoint,
      misnamed: misnamed.origin,
      plain: plain.origin.replace('http', 'https'),
      env: { NODE_EXTRA_CA_CERTS: certificates.caFile, RES_OPTIONS: 'timeout:1 attempts:1' },
    },
    close: async () => {
      await Promise.all([stranger.stop(), misnamed.close(), plain.close(), certificates.remove()]);
    },
  };
}

/** Plain HTTP for the metadata service, also to a TLS port, because it is only used with HTTP. */
export function placesFor({ kind }: Call, places: Places): Places {
  if (kind !== 'metadata token') return places;
  const byHttp = (origin: string): string => origin.replace('https', 'http');
  return { ...places, untrusted: byHttp(places.untrusted), unnamed: byHttp(places.unnamed) };
}
