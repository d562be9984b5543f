/** Text that looks like a secret: people paste one where its name belongs, and no message may repeat it. Pure. */

/** With what is in front and behind them in a name, an ARN or a fingerprint, these are part of that. */
const [before, behind] = ['(?<![\\w+/=.:@-])', '(?![\\w+/=.:@-])'];

/** Tokens by the letters that their makers put in front: GitHub, GitLab, Atlassian, Slack, npm, AWS. */
const prefixes =
  'gh[opusr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|agent)-|AT[AC]TT|xox[abeoprs]-|npm_|A[KS]IA(?=[A-Z2-7]{16}(?!\\w))';

const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]+-----(?:[^]*?-----END [A-Z0-9 ]+-----|[^]*)/g,
  // JSON that has one, as it is stored for an App or a user name.
  /\{[^{}]*"[^"{}]*(?:password|private_?key|token|secret|credential)[^"{}]*"\s*:[^]*\}/gi,
  // `-----BEGIN `, and the first bytes of OpenSSH's format, in base64.
  /(?:LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj)[A-Za-z0-9+/=\s]*/g,
  new RegExp(`(?<!\\w)(?:${prefixes})[\\w.=-]{12,}`, 'g'),
  // A JSON Web Token (RFC 7519): `{"` in base64.
  /(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g,
  // Base64 of 30 bytes and more, which has letters of both cases and digits: the lines of a key, AWS's secret keys.
  new RegExp(
    `${before}(?=[^\\s]*[a-z])(?=[^\\s]*[A-Z])(?=[^\\s]*\\d)[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2}(?:\\r?\\n[A-Za-z0-9+/=]+)*${behind}`,
    'g',
  ),
];

/** JSON, too: what is stored for an App or a user name has its secret in it, and no reference begins so. */
export function looksSecret(text: string): boolean {
  return /^\s*\{/.test(text) || withoutSecrets(text) !== text;
}

/** `…` instead of each. */
export function withoutSecrets(text: string): string {
  return forms.reduce((left, form) => left.replace(form, '…'), text);
}
