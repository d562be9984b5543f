/** A key line → its text, as `keys` and exec take it. Pure. */
import { usualValidity, type CertificateOptions, type OptionTexts } from './certificate-options.ts';
import type { KeyLine } from './key-line.ts';
import { patternText, type RepositoryPattern } from './routes.ts';
import type { SigningOptions } from './signing-options.ts';

/** parseKeyLine reads the same line from it. */
export function keyLineText({ reference, passphrase, certificate, signing, repositories }: KeyLine): string {
  const options = new Map([
    ...(passphrase ? [['passphrase', passphrase.text] as const] : []),
    ...(certificate ? [['certificate', certificate.text] as const] : []),
    ...(signing ? signingTexts(signing) : []),
  ]);
  return [
    reference.text,
    ...[...options].map(([name, text]) => `${name}=${text.replaceAll(' ', '%20')}`),
    ...repositories.map(repositoryText),
  ].join(' ');
}

/** Option → its text, without what is so by default. */
export function signingTexts({ unbound, forwarding, uses, certificate }: SigningOptions): OptionTexts {
  return new Map([
    ...(certificate ? certificateTexts(certificate) : []),
    ...(unbound === 'allow' ? [['unbound', unbound] as const] : []),
    ...(forwarding === 'allow' ? [['forwarding', forwarding] as const] : []),
    ...(uses === undefined ? [] : [['uses', String(uses)] as const]),
  ]);
}

function certificateTexts(options: CertificateOptions): OptionTexts {
  const { authority, principals, valid, extensions, sourceAddress, forceCommand } = options;
  const texts: Readonly<Record<string, string | undefined>> = {
    ca: authority.text,
    principals: principals.join(','),
    valid: valid === usualValidity.user ? undefined : durationText(valid),
    extensions: extensions.map(extensionText).join(',') || undefined,
    'source-address': sourceAddress?.join(','),
    'force-command': forceCommand,
  };
  return new Map(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])),
  );
}

export function extensionText({ name, value }: CertificateOptions['extensions'][number]): string {
  return value === '' ? name : `${name}=${value}`;
}

/** In the largest unit that divides it. */
export function durationText(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ] as const;
  const [size, unit] = units.find(([one]) => seconds % one === 0) ?? [1, 's'];
  return `${seconds / size}${unit}`;
}

/** A word with a space or with `=` is not read as a repository, but a URL with a scheme is decoded. */
function repositoryText(pattern: RepositoryPattern): string {
  const text = patternText(pattern);
  if (!/[\s=]/.test(text)) return text;
  const path = pattern.path.split('/').map(encodeURIComponent).join('/');
  return `ssh://${patternText({ ...pattern, path })}`;
}
