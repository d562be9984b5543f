/** Parts of the URLs that people write. Pure. */

/** With its percent codes decoded, as git does it. A text with a wrong code stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Hides the password in every URL of the text. */
export function withoutPasswords(text: string): string {
  return text.replace(/(\w:\/\/[^\s/@:]*):[^\s/@]*@/g, '$1:…@');
}
