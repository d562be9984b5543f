/** The date in the names of keys: several keys have the same name after a rotation, and the date tells them apart. */

/** `2026-11-29`, in UTC. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
