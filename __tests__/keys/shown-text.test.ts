import { describe, expect, it } from '@jest/globals';
import { shown, shownCommand } from '../../src/keys/shown-text.ts';

describe('a text that is shown', () => {
  it.each([
    ['https://me:hunter2@github.com/', 'https://me:…@github.com/'],
    ['https://me:hun@ter2@github.com/x', 'https://me:…@github.com/x'],
    ['https://me:hun/ter2@github.com/x', 'https://me:…@github.com/x'],
    ['ssh://git:hunter2@h/x and https://a:b@c/', 'ssh://git:…@h/x and https://a:…@c/'],
    ['https://hunter2tok@github.com/acme', 'https://…@github.com/acme'],
    ['https://hunter2tok:x-oauth-basic@github.com/acme', 'https://…@github.com/acme'],
    ['https://hunter2tok:@github.com/acme', 'https://…@github.com/acme'],
    ['https://h/x?private_token=hunter2&a=b', 'https://h/x?private_token=…&a=b'],
    ['ext::sh -c hunter2', 'ext::…'],
    ['url.https://me:hunter2@h/.insteadOf', 'url.https://me:…@h/.insteadOf'],
    ['ghp_0123456789abcdefghij', '…'],
    ['a\u001b[2Jb\u0007\u202ec', 'a\\x1b[2Jb\\x07\\u202ec'],
  ])('has no secret and no control character: %j', (text, expected) => {
    expect(shown(text)).toBe(expected);
    expect(shown(expected)).toBe(expected);
  });

  it.each([
    'ssh://git@github.com/acme/lib',
    'git@github.com:acme/lib.git',
    'https://github.com/acme/lib.git: HEAD is at git@github.com:acme',
    'ssh://git@127.0.0.1:2222/acme/lib',
    'http://127.0.0.1:4566 answers, by user@host',
    'git config --file /home/me/.gitconfig --unset-all url.https://github.com/.insteadOf ^git@github\\.com:$',
  ])('is kept if it has neither: %s', (text) => {
    expect(shown(text)).toBe(text);
  });
});

describe('a command that is shown', () => {
  it.each([
    ['ssh', 'ssh'],
    ['cache', 'cache'],
    ['/opt/ssm-ssh', '/opt/ssm-ssh'],
    ["'/a b/ssm-ssh'", '/a b/ssm-ssh'],
    ['sshpass -p hunter2 ssh', 'sshpass (its arguments are not shown)'],
    ['"/a b/plink" -pw hunter2', '/a b/plink (its arguments are not shown)'],
    ['store --file ~/.hunter2', 'store (its arguments are not shown)'],
    ['SSHPASS=hunter2 sshpass -e ssh', 'a shell command'],
    ['!f() { echo password=hunter2; }; f', 'a shell command'],
    ["!'/a b/git-credential-ssm'", 'a shell command'],
    ['$(echo hunter2)', 'a shell command'],
    ['ssh;hunter2', 'a shell command'],
    ['', 'a shell command'],
  ])('is its program alone: %s', (command, expected) => {
    expect(shownCommand(command)).toBe(expected);
  });
});
