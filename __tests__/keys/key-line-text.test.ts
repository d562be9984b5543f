import { describe, expect, it } from '@jest/globals';
import { parseKeyLine } from '../../src/keys/key-line.ts';
import { durationText, keyLineText } from '../../src/keys/key-line-text.ts';

describe('the text of a key line', () => {
  it.each([
    '/ci/key',
    '/ci/key:7 passphrase=/ci/p certificate=secretsmanager:cert:line github.com/acme/lib *.example.com',
    'kms:alias/deploy',
    'kms:alias/deploy unbound=allow forwarding=allow uses=5 git.example.com:2222/platform',
    'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab github.com/acme',
    'new:ed25519 ca=kms:alias/ca principals=deploy,web valid=1h extensions=permit-pty,login@github.com=octo source-address=192.0.2.0/24,2001:db8::/32 force-command=rsync%20--server%20. uses=1 github.com',
    '/ci/key passphrase=/ci/p ca=/ci/authority principals=deploy',
  ])('is what was parsed: %s', (text) => {
    expect(keyLineText(parseKeyLine(text))).toBe(text);
  });

  it('leaves out what is so by default', () => {
    const text = 'new:rsa ca=kms:alias/ca principals=a valid=15m unbound=refuse forwarding=refuse';
    expect(keyLineText(parseKeyLine(text))).toBe('new:rsa ca=kms:alias/ca principals=a');
  });

  it('has a repository with a space as a URL, which is read as the same', () => {
    const line = parseKeyLine('kms:alias/a ssh://git@ssh.dev.azure.com/v3/acme/My%20Project/lib');
    const text = keyLineText(line);
    expect(text).toBe('kms:alias/a ssh://ssh.dev.azure.com/v3/acme/my%20project/lib');
    expect(parseKeyLine(text)).toEqual(line);
  });

  it.each(['a%3Db', 'a%20b%23c', 'a%20b%3Fc', 'a%2520b', 'a%20%25b', '%5Bx%5D%20/*'])(
    'reads a repository as it was, also the path %s',
    (path) => {
      const line = parseKeyLine(`kms:alias/a ssh://git@git.example.com:2222/${path}`);
      expect(parseKeyLine(keyLineText(line))).toEqual(line);
    },
  );

  it.each([
    [90, '90s'],
    [900, '15m'],
    [5400, '90m'],
    [7200, '2h'],
    [86_400, '1d'],
  ])('has a duration of %d seconds as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
