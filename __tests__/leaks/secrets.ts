/** Secret texts in all forms in which they could leak, and the search for them. Pure. */

export interface Secret {
  /** For reports: the text itself is never printed. */
  readonly name: string;
  readonly text: string;
  /** Who may get it: by a socket to a server of the test, or to an agent; what people asked for. */
  readonly mayGo: readonly Channel[];
}

/** Where bytes go. */
export type Channel = 'server' | 'agent' | 'stdout' | 'stderr' | 'pipe' | 'file' | 'start' | 'name' | 'other';

/** Shorter texts are found by chance. */
const shortest = 8;

/** The text, each of its lines, and both in base64 (at each place that they can begin at), base64url, hex and URLs. */
export function formsOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const texts = [...new Set([text, ...lines])].filter((one) => one.length >= shortest && !/^-----/.test(one));
  const forms = texts.flatMap((one) => [one, ...encoded(Buffer.from(one, 'latin1'))]);
  return [...new Set(forms)].filter((form) => form.length >= shortest);
}

function encoded(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((shift) => inBase64(bytes, shift));
  const urls = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const inUrl = encodeURIComponent(bytes.toString('latin1'));
  return [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...urls,
    inUrl,
    JSON.stringify(bytes.toString('latin1')).slice(1, -1),
  ];
}

/** The characters that do not depend on what stands before and behind the bytes. */
function inBase64(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

/** Finds the secrets of which a text has a form. */
export class Finder {
  readonly #secrets: readonly (Secret & { readonly forms: readonly string[] })[];

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.map((secret) => ({ ...secret, forms: formsOf(secret.text) }));
  }

  /** The number of texts that are looked for. */
  get size(): number {
    return this.#secrets.reduce((sum, { forms }) => sum + forms.length, 0);
  }

  in(text: string): Secret[] {
    return this.#secrets.filter(({ forms }) => forms.some((form) => text.includes(form)));
  }
}
