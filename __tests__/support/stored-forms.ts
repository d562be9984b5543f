/** The types of keys, and how copying changes them on the way into a parameter. */
import { makeSshKey, type SshKey, type SshKeyOptions } from './ssh-keys.ts';

export interface NamedKey extends SshKey {
  readonly name: string;
}

const kinds: readonly SshKeyOptions[] = [
  { type: 'ed25519', comment: 'someone@example.com' },
  { type: 'ed25519', format: 'PKCS8' },
  { type: 'rsa', bits: 2048 },
  { type: 'rsa', bits: 2048, format: 'PEM' },
  { type: 'rsa', bits: 2048, format: 'PKCS8' },
  { type: 'rsa', bits: 3072, format: 'PEM' },
  ...([256, 384, 521] as const).flatMap((bits) =>
    (['OPENSSH', 'PEM', 'PKCS8'] as const).map((format) => ({ type: 'ecdsa', bits, format }) as const),
  ),
];

/** `openssl ecparam -genkey` writes the curve's name (here P-256's) before the key. */
const ecParameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

/** One of each type, size and format. */
export async function everyKind(): Promise<NamedKey[]> {
  const keys = await Promise.all(
    kinds.map(async (options) => ({ ...(await makeSshKey(options)), name: nameOf(options) })),
  );
  const p256 = keys.find(({ name }) => name === 'ecdsa 256 PEM');
  if (!p256) throw new Error('no P-256 key in PEM');
  const withParameters = ecParameters + p256.privateKey;
  return [...keys, { ...p256, name: 'ecdsa 256 PEM with EC PARAMETERS', privateKey: withParameters }];
}

function nameOf({ type = 'ed25519', bits, format = 'OPENSSH' }: SshKeyOptions): string {
  return [type, bits, format].filter(Boolean).join(' ');
}

/** The base64 between the last BEGIN and END lines, without white space. */
export function bodyOf(file: string): string {
  return lastBlock(file).replace(/-----[^-]+-----|\s+/g, '');
}

const lastBlock = (file: string): string => file.slice(file.lastIndexOf('-----BEGIN'));
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const wrap = (text: string, width: number): string =>
  text.match(new RegExp(`.{1,${width}}`, 'g'))?.join('\n') ?? '';
const eachLine = (file: string, change: (line: string) => string): string =>
  file.trim().split('\n').map(change).join('\n');

/** Form of storage → function from the original file to the stored value. */
export const storedForms: Readonly<Record<string, (file: string) => string>> = {
  'as it is': (file) => file,
  'without its last newline': (file) => file.trimEnd(),
  'with CRLF': (file) => file.replaceAll('\n', '\r\n'),
  'with CR alone': (file) => file.replaceAll('\n', '\r'),
  'behind a byte order mark': (file) => `\uFEFF${file}`,
  'indented by spaces': (file) => eachLine(file, (line) => `    ${line}`),
  'indented by tabs': (file) => eachLine(file, (line) => `\t${line}`),
  'with spaces behind each line': (file) => eachLine(file, (line) => `${line}  `),
  'with blank lines around and between': (file) => `\n\n${file.replaceAll('\n', '\n\n')}\n`,
  'with literal \\n': (file) => file.replaceAll('\n', '\\n'),
  'with literal \\r\\n': (file) => file.replaceAll('\n', '\\r\\n'),
  'with literal \\n, below a line of text': (file) => `deploy key\n${file.replaceAll('\n', '\\n')}\n`,
  'in double quotes': (file) => `"${file}"`,
  'in single quotes': (file) => `'${file}'\n`,
  'as a JSON string': (file) => JSON.stringify(file),
  'as a line of an env file': (file) => `DEPLOY_KEY="${file}"\n`,
  'with spaces for newlines': (file) => file.replaceAll('\n', ' '),
  'with its newlines lost': (file) => file.replaceAll('\n', ''),
  'in base64': (file) => base64(file),
  'in base64 wrapped at 76': (file) => `${wrap(base64(file), 76)}\n`,
  'in base64, without its last newline and in quotes': (file) => `"${base64(file.trimEnd())}"`,
  'in base64, with CRLF and a byte order mark': (file) => base64(`\uFEFF${file.replaceAll('\n', '\r\n')}`),
  'without its BEGIN and END lines': (file) => wrap(bodyOf(file), 70),
  'without its BEGIN and END lines, in one line': (file) => bodyOf(file),
  'between other text': (file) => `Deploy key of acme/lib:\n\n${file}\nmade in 2026\n`,
};
