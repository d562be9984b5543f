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
  return text
    .replace(/(\bext::)[^"']+/gi, '$1…')
    .replace(/\b(https?:\/\/)[^\s/@:"']+(?::(?:x-oauth-basic)?)?@/gi, '$1…@')
    .replace(/(\w:\/\/[^\s/@:]*):[^\s"']*?[^\s/"']*@/g, '$1:…@')
    .replace(
      /([?&][^=\s&#]*(?:token|password|passwd|secret|signature|credential)[^=\s&#]*=)[^\s&#"']+/gi,
      '$1…',
    );
}
