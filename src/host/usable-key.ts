/** A key that others can use: one that OpenSSH's agent has, or one that ours signs with. Pure. */
import { authorizedKeysLine, fingerprint, type PublicKey } from '../keys/public-key.ts';
import type { Location } from '../keys/reference.ts';
import type { RoutedKey } from '../keys/routes.ts';
import type { SigningKeyLine } from '../keys/key-line.ts';
import type { ServedKey } from './front-order.ts';
import type { Identity } from '../ssh/key-folder.ts';

export interface UsableKey extends RoutedKey {
  readonly publicKey: PublicKey;
  readonly certificate?: { readonly line: string } | undefined;
  readonly secret: {
    readonly reference: { readonly text: string; readonly location?: Location };
    /** Empty if it has no versions. */
    readonly version: string;
    /** Empty if it is nowhere. */
    readonly arn: string;
  };
}

/** @param served what the agent in front answered for the line */
export function servedKey(
  { reference, repositories }: SigningKeyLine,
  { publicKey, certificate, arn, version }: ServedKey,
): UsableKey {
  return {
    ...{ publicKey, repositories, fingerprint: fingerprint(publicKey) },
    ...(certificate !== undefined && { certificate: { line: certificate } }),
    secret: { reference, version, arn },
  };
}

/**
 * With a key and its certificate, ssh signs for the certificate with the plain key. An agent refuses that for a key that is
 * restricted to hosts, and ours has no plain key that was made for one use. So ssh gets the certificate alone.
 *
 * @param alone whether ssh gets the certificate alone
 */
export function identityOf({ publicKey, certificate }: UsableKey, alone: boolean): Identity {
  if (certificate && alone) return { publicKey: certificate.line };
  return { publicKey: authorizedKeysLine(publicKey), certificate: certificate?.line };
}
