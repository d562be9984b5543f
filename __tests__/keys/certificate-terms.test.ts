/** What a certificate is asked to say, beyond what signing-options.test.ts has: names, time, hosts, and how options are written. */
import { describe, expect, it } from '@jest/globals';
import {
  parseTerms,
  type CertificateKind,
  type CertificateTerms,
} from '../../src/keys/certificate-options.ts';
import { failureOf } from '../support/failure-of.ts';

type Options = Readonly<Record<string, string>>;

const onCommandLine = (option: string): string => `--${option}`;
const parse = (options: Options, kind: CertificateKind = 'user'): CertificateTerms =>
  parseTerms(new Map(Object.entries(options)), onCommandLine, kind);

describe('what a certificate is asked to say', () => {
  it('lasts 15 minutes for a user and a week for a host, and a year at most', () => {
    expect(parse({ principals: 'deploy' }).valid).toBe(900);
    expect(parse({ principals: 'web-1' }, 'host').valid).toBe(604_800);
    expect(parse({ principals: 'deploy', valid: '365d' }).valid).toBe(31_536_000);
  });

  it('names a host by patterns, and a user by whole names', () => {
    expect(parse({ principals: '*.example.com,10.0.0.7' }, 'host').principals).toHaveLength(2);
    expect(failureOf(() => parse({ principals: 'web-*' })).message).toBe(
      '--principals has a pattern, which sshd does not read: "web-*"',
    );
  });

  it.each<[Options, CertificateKind, string, string]>([
    [{}, 'user', '--principals is missing: a certificate names the accounts', '--principals deploy,web'],
    [{}, 'host', '--principals is missing: a certificate names the host', '--principals web-1.example.com'],
    [{ principals: 'deploy,my web' }, 'user', 'white space or more than 255 characters: "my web"', 'commas'],
    [{ principals: 'a'.repeat(256) }, 'user', 'more than 255 characters', 'commas'],
    [{ principals: 'a\u0007' }, 'user', '--principals has control characters', 'plain text'],
    [
      { principals: Array.from({ length: 257 }, (_, index) => `u${index}`).join() },
      'user',
      'has 257 names',
      'fewer',
    ],
    [{ principals: 'a', valid: '366d' }, 'user', '--valid is more than a year: "366d"', '--valid 365d'],
    [{ principals: 'a', valid: '0' }, 'user', '--valid is not a duration: "0"', '15m'],
    [{ principals: 'a', 'force-command': 'a\nb' }, 'user', '--force-command has control characters', 'plain'],
    [{ principals: 'a', 'force-command': '' }, 'user', '--force-command has no command', 'write the command'],
    [{ principals: 'a', extensions: 'permit-pty=yes' }, 'user', 'a value', '--extensions permit-pty'],
    [{ principals: 'a', extensions: '@github.com=a' }, 'user', 'unknown extension "@github.com"', '@DOMAIN'],
    [{ principals: 'a', extensions: 'force-command=ls' }, 'user', 'unknown extension', 'permit-pty'],
    [{ principals: 'a', 'force-command': 'ls' }, 'host', '--force-command is for users', 'remove'],
    [{ principals: 'a', extensions: 'permit-pty' }, 'host', '--extensions is for users', 'remove'],
    [{ principals: 'a', 'source-address': '::1' }, 'host', '--source-address is for users', 'remove'],
  ])('is refused before anything is signed: %j of a %s', (...[options, kind, message, hint]) => {
    const failure = failureOf(() => parse(options, kind));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toContain(message);
    expect(failure.hint).toContain(hint);
  });
});
