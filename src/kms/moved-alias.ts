/** How a refusal says that an alias has moved to another key. */
export const isAnotherKey = 'is another KMS key now';
