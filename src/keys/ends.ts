/** Removes a repeated character at the ends of a text. A pattern such as /\/+$/ takes quadratic time on `/////a`. Pure. */

/** @param character one character */
export function withoutEnd(text: string, character: string): string {
  let end = text.length;
  while (text[end - 1] === character) end--;
  return text.slice(0, end);
}

/** At both ends. */
export function withoutEnds(text: string, character: string): string {
  let start = 0;
  while (text[start] === character) start++;
  return withoutEnd(text.slice(start), character);
}
