/** The aliases that the rotation of a KMS key uses beside the key's own, and how long the old key waits for its end. Pure. */

/** The new key, until it has the key's own alias; and after that, until the rotation ends. */
export function nextAlias(alias: string): string {
  return `${alias}/next`;
}

/** The old key, until the rotation ends. Agents that have loaded it go on to sign by this alias. */
export function previousAlias(alias: string): string {
  return `${alias}/previous`;
}

/** Characters, with `alias/`. @source KMS API Reference, CreateAlias, `AliasName` */
export const longestRotatedAlias = 256 - '/previous'.length;

/**
 * Days until KMS deletes a key. Until then it costs nothing, and its deletion can be stopped. The longest that KMS takes; the
 * policy allows no other.
 */
export const pendingDays = 30;
