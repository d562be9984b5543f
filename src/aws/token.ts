/** A web identity token: from GitHub for a job, or from a file. Pure. */

export interface Token {
  /** A JSON Web Token. Secret. */
  readonly text: string;
  readonly claims: Claims;
  /** The path that it was read from. */
  readonly file?: string;
}

/** The claims that a trust policy checks. They are printed; the token stays secret. */
export interface Claims {
  readonly sub: string;
  /** Tokens of Kubernetes have a list. */
  readonly aud: string | readonly string[];
  readonly iss: string;
}

/** @returns undefined for text that is not a token @source RFC 7519 §7.2 */
export function readToken(text: string): Token | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
    const { iss, sub, aud } = read as Readonly<Record<keyof Claims, unknown>>;
    if (typeof iss !== 'string') return undefined;
    const audiences = [aud].flat().filter((one) => typeof one === 'string');
    const [only = ''] = audiences;
    return {
      text,
      claims: { iss, sub: typeof sub === 'string' ? sub : '', aud: Array.isArray(aud) ? audiences : only },
    };
  } catch {
    return undefined;
  }
}

/** For messages. */
export function audienceText({ aud }: Claims): string {
  return [aud].flat().join(', ');
}
