/** A web identity token: GitHub's for a job, or one that something else has written into a file. Pure. */

export interface Token {
  /** A JSON Web Token. Secret. */
  readonly text: string;
  readonly claims: Claims;
  /** The path that it was read from. */
  readonly file?: string;
}

/** The claims that a role's trust policy is matched on. The token itself stays secret; these are printed. */
export interface Claims {
  readonly sub: string;
  /** Several in tokens of Kubernetes. */
  readonly aud: string | readonly string[];
  readonly iss: string;
}

/** @returns undefined for text that is not a token @source RFC 7519 §7.2 */
export function readToken(text: string): Token | undefined {
  try {
    const claims = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Claims;
    return typeof claims.iss === 'string' ? { text, claims } : undefined;
  } catch {
    return undefined;
  }
}

/** As people write it. */
export function audienceText({ aud }: Claims): string {
  return [aud].flat().join(', ');
}
