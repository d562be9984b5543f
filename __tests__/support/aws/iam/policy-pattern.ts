/** IAM's wildcards: `*` matches any characters, `?` a single one. Pure. */

/** Matches the whole text, case-sensitively. */
export function matchesText(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** Action names are case-insensitive. */
export function matchesAction(pattern: string, action: string): boolean {
  return matchesText(pattern.toLowerCase(), action.toLowerCase());
}

/** Matches each of an ARN's six fields separately: a wildcard never matches a colon, except inside the last field. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = fields(pattern);
  const given = fields(arn);
  return wanted.length === 6 && given.length === 6 && wanted.every((f, i) => matchesText(f, given[i] ?? ''));
}

function fields(arn: string): readonly string[] {
  const parts = arn.split(':');
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
