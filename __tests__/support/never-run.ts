/** For tests that need what a machine may not have. Who uses it says on the console what is not run, and for want of what. */

/** In the place of `describe` and `it`: nothing is collected that a report would count as skipped. */
export function neverRun(): void {}
