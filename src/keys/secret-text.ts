/**
 * Detects text that looks like a secret. People paste secrets where a name belongs, and no message may repeat them.
 * Pure.
 */

/** Next to these characters, a match is a part of a name, an ARN or a fingerprint, and not a secret. */
const [before, behind] = ['(?<![\\w+/=.:@-])', '(?![\\w+/=.:@-])'];

/** The prefixes of tokens of GitHub, GitLab, Atlassian, Slack, npm and AWS. */
const prefixes =
  'gh[opusr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|agent)-|AT[AC]TT|xox[abeoprs]-|npm_|A[KS]IA(?=[A-Z2-7]{16}(?!\\w))';

const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]+-----(?:[^]*?-----END [A-Z0-9 ]+-----|[^]*)/g,
  // JSON with a secret, as stored for an App or a user name.
  /\{[^{}]*"[^"{}]*(?:password|private_?key|token|secret|credential)[^"{}]*"\s*:[^]*\}/gi,
  // `-----BEGIN `, and the first bytes of OpenSSH's format, in base64.
  /(?:LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj)[A-Za-z0-9+/=\s]*/g,
  new RegExp(`(?<!\\w)(?:${prefixes})[\\w.=-]{12,}`, 'g'),
  // A JSON Web Token (RFC 7519): `{"` in base64.
  /(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g,
  // Base64 of 30 bytes or more, with digits and letters of both cases: the lines of a key, AWS's secret keys.
  new RegExp(
    `${before}(?=[^\\s]*[a-z])(?=[^\\s]*[A-Z])(?=[^\\s]*\\d)[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2}(?:\\r?\\n[A-Za-z0-9+/=]+)*${behind}`,
    'g',
  ),
];

/** Also for JSON: a stored App or user name contains a secret, and no reference begins like that. */
export function looksSecret(text: string): boolean {
  return /^\s*\{/.test(text) || withoutSecrets(text) !== text;
}

/** Replaces each secret with `…`. */
export function withoutSecrets(text: string): string {
  return forms.reduce((left, form) => left.replace(form, '…'), text);
}

/** Whether the whole text is one token of a service, such as GitHub or GitLab. */
export function looksToken(text: string): boolean {
  return new RegExp(`^(?:(?:${prefixes})[\\w.=-]{12,}|eyJ[\\w-]{8,}\\.[\\w-]{8,}(?:\\.[\\w-]*)?)$`).test(
    text.trim(),
  );
}
