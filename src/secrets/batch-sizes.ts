/** How many stored values one call returns. Pure. */

/** Limit of names in one GetParameters, and of ids in one BatchGetSecretValue. */
export const batchSizes = { parameter: 10, secret: 20 } as const;
