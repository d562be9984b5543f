/** Parts of the URLs that people write. Pure. */

/** With its percent codes decoded, as git does it. A text with a wrong code stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Hides what may be a secret in every URL of the text: the password, a user of https that stands alone and so may be a
 * token, values of a query that are named like secrets, and the command of `ext::`.
 *
 * @source gitremote-helpers(7), "INVOCATION"; git-remote-ext(1)
 */
export function withoutPasswords(text: string): string {
  const shown = text
    .replace(/(\bext::)[^"']+/gi, '$1…')
    .replace(/\b(https?:\/\/)[^\s/@:"']+(?::(?:x-oauth-basic)?)?@/gi, '$1…@');
  return withoutValues(withoutUsersPasswords(shown));
}

/** A password may have `/` and `@` in it: it ends at the last `@` before the next slash. */
function withoutUsersPasswords(text: string): string {
  const [at, stop] = [search(text, /@/g), search(text, /[\s"']/g)];
  return hideBehind(text, /(?<=\w:\/\/)[^\s/@:]*:/g, (start) => {
    const first = at(start);
    if (first >= stop(start)) return start;
    const [rest = ''] = /^(?:[^\s/"'@]*@)*/.exec(text.slice(first + 1, stop(start))) ?? [];
    return first + rest.length;
  });
}

const secretName = /token|password|passwd|secret|signature|credential/i;

function withoutValues(text: string): string {
  const stop = search(text, /[\s&#"']/g);
  return hideBehind(text, /(?<![^=\s&#])[^=\s&#]*=/g, (start, name, before) =>
    isSecret(before === '&' ? `&${name}` : name) ? stop(start) : start,
  );
}

/** @param name of a value in a query, which begins behind the first `?` or `&` */
function isSecret(name: string): boolean {
  const mark = name.search(/[?&]/);
  return mark >= 0 && secretName.test(name.slice(mark));
}

/**
 * Takes linear time: an expression for the whole would try the same characters again for each start, and a repository may
 * have written the text.
 *
 * @param starts matches the text in front of what may be hidden
 * @param endOf the end of what is hidden, for the match and the character before it
 */
function hideBehind(
  text: string,
  starts: RegExp,
  endOf: (start: number, match: string, before: string | undefined) => number,
): string {
  let [shown, done] = ['', 0];
  for (const { 0: match, index } of text.matchAll(starts)) {
    const start = index + match.length;
    if (index < done) continue;
    const end = endOf(start, match, text[index - 1]);
    if (end <= start) continue;
    shown += `${text.slice(done, start)}…`;
    done = end;
  }
  return shown + text.slice(done);
}

/** Finds the first match at or behind a place; each place has to be behind the one before. */
function search(text: string, pattern: RegExp): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found >= from) return found;
    pattern.lastIndex = from;
    return (found = pattern.exec(text)?.index ?? text.length);
  };
}
