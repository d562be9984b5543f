/** git's configuration as a listing, for tests without git. */
import type { Listing, ScopedSetting } from '../../src/git/listing.ts';

/** `SCOPE NAME = VALUE` */
export function listing(...lines: readonly string[]): Listing {
  const entries = lines.map((line): ScopedSetting => {
    const [, scope = '', name = '', value] = /^(\S+) (.*?)(?: = ([^]*))?$/.exec(line) ?? [];
    return { scope, name, value };
  });
  return { entries, scoped: true };
}
