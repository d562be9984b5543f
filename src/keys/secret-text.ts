/**
 * Detects text that looks like a secret. People paste secrets where a name belongs, and no message may repeat them.
 * Pure.
 */

/** Next to these characters, a match is a part of a name, an ARN or a fingerprint, and not a secret. */
const [before, behind] = ['(?<![\\w+/=.:@-])', '(?![\\w+/=.:@-])'];

/** The prefixes of tokens that git sends: of GitHub, GitLab (doc/security/tokens) and Bitbucket. */
const ofGitHosts =
  'gh[opusr]_|github_pat_|gl(?:pat|dt|rtr?|cbt|ptt|ft|ffct|agent|oas|imt|wt|soat)-|AT(?:BB|[AC]TT)|BBDC-';

/** And of Slack, npm and AWS. */
const prefixes = `${ofGitHosts}|xox[abeoprs]-|npm_|A[KS]IA(?=[A-Z2-7]{16}(?!\\w))`;

/** A brace, or the name of a secret in JSON, as stored for an App or a user name. */
const jsonParts = /[{}]|"(?=[^"{}]*(?:password|private_?key|token|secret|credential))[^"{}]*"\s*:/gi;

/** Base64 of 30 bytes or more. `isKeyText` tells the lines of a key and AWS's secret keys from paths and digests. */
const base64 = new RegExp(
  `${before}[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2}(?:\\r?\\n[A-Za-z0-9+/=]+)*${behind}`,
  'g',
);

/** The other forms. On any text they take linear time: a repository may have written it. */
const forms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]+-----(?:[^]*?-----END [A-Z0-9 ]+-----|[^]*)/g, '…'],
  // `-----BEGIN `, and the first bytes of OpenSSH's format, in base64.
  [/(?:LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj)[A-Za-z0-9+/=\s]*/g, '…'],
  [new RegExp(`(?<!\\w)(?:${prefixes})[\\w.=-]{12,}`, 'g'), '…'],
  // A JSON Web Token (RFC 7519): `{"` in base64. The first lookahead leaves out words that no dot follows.
  [/(?<![\w-])(?=[\w-]+\.[\w-]{8})([\w-]*?)(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, '$1…'],
];

/** Whether base64 may be of a key: with digits and letters of both cases. */
export function isKeyText(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** Also for JSON: a stored App or user name contains a secret, and no reference begins like that. */
export function looksSecret(text: string): boolean {
  return /^\s*\{/.test(text) || withoutSecrets(text) !== text;
}

/** Replaces each secret with `…`. */
export function withoutSecrets(text: string): string {
  const left = forms.reduce((so, [form, shown]) => so.replace(form, shown), withoutJson(text));
  return left.replace(base64, (found) => (isKeyText(found) ? '…' : found));
}

/** From the beginning of the whole JSON to the last brace, or to the end of a text that is cut off. */
function withoutJson(text: string): string {
  const found = secretJson(text);
  if (!found) return text;
  const end = text.lastIndexOf('}') + 1;
  return `${text.slice(0, found.start)}…${end > found.member ? text.slice(end) : ''}`;
}

/**
 * A value may have a brace in it, or the JSON may begin before the text: then a brace is closed that none has opened.
 *
 * @returns where the JSON begins, and where its first member with the name of a secret does
 */
function secretJson(text: string): { readonly start: number; readonly member: number } | undefined {
  const open: number[] = [];
  let [last, loose]: [number | undefined, number | undefined] = [undefined, undefined];
  for (const { 0: part, index } of text.matchAll(jsonParts)) {
    if (part === '{') open.push(index);
    else if (part !== '}') {
      if (open[0] !== undefined) return { start: open[0], member: index };
      loose ??= index;
    } else if (open.length > 0) last = open.pop();
    else if (loose !== undefined) return { start: Math.min(last ?? loose, loose), member: loose };
  }
  return undefined;
}

/** Whether the whole text is one token of a service, such as GitHub or GitLab. */
export function looksToken(text: string): boolean {
  return new RegExp(`^(?:(?:${prefixes})[\\w.=-]{12,}|eyJ[\\w-]{8,}\\.[\\w-]{8,}(?:\\.[\\w-]*)?)$`).test(
    text.trim(),
  );
}

/** Whether a text begins as a token that git sends, however short it is. */
export function beginsAsGitToken(text: string): boolean {
  return new RegExp(`^(?:${ofGitHosts})`).test(text);
}
