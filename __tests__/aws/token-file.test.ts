/** A file with a token: what is read, and what people are told of a file that has none. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readTokenFile } from '../../src/aws/token-file.ts';
import { audienceText } from '../../src/aws/token.ts';
import { Failure } from '../../src/errors.ts';
import { itWhere } from '../support/needs.ts';

const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');
const claims = { iss: 'https://oidc.example', sub: 'system:serviceaccount:ci:runner', aud: ['sts', 'other'] };
const jwt = `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;

describe('a token file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-file-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const refusal = async (path: string): Promise<string> => {
    const error: unknown = await readTokenFile(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof Failure)) throw new Error('the file was read');
    expect(error.code).toBe('INPUT_INVALID');
    expect(error.message.startsWith(`the input web-identity-token-file names ${path}, which `)).toBe(true);
    return `${error.message.slice(error.message.indexOf('which'))}; ${error.hint}`;
  };

  it('has its token read without the white space around it, and its claims', async () => {
    const path = write('token', `\n${jwt}\r\n`);
    const token = await readTokenFile(path);
    expect(token).toEqual({ text: jwt, claims, file: path });
    expect(audienceText(token.claims)).toBe('sts, other');
  });

  it('may be a link to a link, as Kubernetes makes it', async () => {
    mkdirSync(join(folder, '..2026'));
    write('..2026/token', jwt);
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync('..data/token', join(folder, 'projected'));
    expect((await readTokenFile(join(folder, 'projected'))).text).toBe(jwt);
  });

  it.each([
    ['missing', undefined, 'which is not there; check that the step or the service that writes the token'],
    ['in-a-file/token', undefined, 'which is not there'],
    ['empty', '', 'which is empty; check that the step'],
    ['blank', ' \n\n', 'which is empty'],
    ['large', 'x'.repeat(2_000_000), 'which has more than 20000 characters'],
    ['long', `${part({ alg: 'x' })}.${part(claims)}.${'x'.repeat(20_000)}`, 'which has more than 20000 char'],
    ['text', 'no token', 'which has no token in it; the file must hold one JSON Web Token'],
    ['two', `${jwt}\n${jwt}`, 'which has no token in it'],
    ['json', JSON.stringify({ value: jwt }), 'which has no token in it'],
    ['other', `${part({})}.${part({ sub: 'x' })}.x`, 'which has no token in it'],
    ['bytes', '\u0000\u0001.\uFFFF.', 'which has no token in it'],
  ])('that is %s is INPUT_INVALID', async (name, text, said) => {
    write('in-a-file', 'x');
    const told = await refusal(text === undefined ? join(folder, name) : write(name, text));
    expect(told).toContain(said);
    expect(told).not.toContain(jwt.slice(0, 30));
  });

  it('is neither a folder, nor a device, nor a pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [folder, '/dev/zero', pipe])
      expect(await refusal(path)).toContain('which is not a file');
  });

  itWhere(process.getuid?.() !== 0, 'a user that is not root')('may not be read by everybody', async () => {
    const path = write('secret', jwt);
    chmodSync(path, 0);
    expect(await refusal(path)).toContain('which cannot be read (EACCES); give the user');
  });
});
