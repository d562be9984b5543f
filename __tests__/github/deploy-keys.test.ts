import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gitHubDeployKeys } from '../../src/github/deploy-keys.ts';
import { blobOf, type DeployKeys } from '../../src/keys/deploy-key.ts';
import { NotedKeys, options, publicKey } from '../deploy-key-hosts.ts';
import { createCertificates } from '../support/aws/wire/certificates.ts';
import { startGitHubApi, type GitHubApi } from '../support/github/github-api.ts';

describe('the deploy keys of a repository on GitHub', () => {
  let github: GitHubApi;
  let ssh: NotedKeys;
  let keys: DeployKeys;

  beforeEach(async () => {
    ssh = new NotedKeys();
    github = await startGitHubApi({ deployKeys: { git: ssh } });
    keys = openWith({ administration: 'write' });
  });
  afterEach(() => github.stop());

  function openWith({ administration }: { administration?: string }, repository = 'acme/lib'): DeployKeys {
    const token = github.createToken({ repositories: ['acme/lib', 'acme/app'], administration });
    return gitHubDeployKeys({ repository, apiUrl: github.url, token, tokenName: '/ci/token' }, options);
  }
  const give = (number: number, title = `key ${number}`): void => {
    github.keys.add({ repository: 'acme/lib', title, key: publicKey(number), readOnly: number % 2 === 0 });
  };
  const newKey = (number: number): Parameters<DeployKeys['add']>[0] => ({
    ...{ title: 'new', publicKey: publicKey(number), readOnly: true },
  });

  it('are listed over all pages, with their titles, bytes and access', async () => {
    for (let number = 1; number <= 205; number++) give(number);
    const found = await keys.list();
    expect(found).toHaveLength(205);
    expect(found[203]).toMatchObject({ title: 'key 204', readOnly: true, blob: blobOf(publicKey(204)) });
    expect(found[204]).toMatchObject({ title: 'key 205', readOnly: false });
  });

  it('are added with the access that is asked for, and removed by their number', async () => {
    await keys.add({ title: 'one', publicKey: publicKey(1), readOnly: true });
    await keys.add({ title: 'two', publicKey: publicKey(2), readOnly: false });
    expect(ssh.granted.map(({ write }) => write)).toEqual([false, true]);
    const [, two] = await keys.list();
    await keys.remove(two ?? { id: '', title: '', blob: Buffer.alloc(0), readOnly: true });
    expect(github.keys.of('acme/lib').map(({ title }) => title)).toEqual(['one']);
  });

  it('are added once if the first answer is lost', async () => {
    github.faults.order({ operation: 'POST *', fault: 'unanswered', times: 1 });
    await keys.add(newKey(1));
    expect(github.keys.of('acme/lib')).toHaveLength(1);
    expect(github.calls.filter(({ operation }) => operation.startsWith('POST'))).toHaveLength(2);
  });

  it('are removed if the first answer is lost', async () => {
    give(1);
    const [one] = await keys.list();
    github.faults.order({ operation: 'DELETE *', fault: 'unanswered', times: 1 });
    if (one) await keys.remove(one);
    expect(github.keys.of('acme/lib')).toEqual([]);
  });

  it('say what to do if the certificate of the server is not trusted', async () => {
    const tls = await createCertificates();
    const server = await startGitHubApi({ tls });
    const there = { repository: 'acme/lib', apiUrl: server.url, token: 'x', tokenName: '/ci/token' };
    try {
      await expect(gitHubDeployKeys(there, options).list()).rejects.toMatchObject({
        code: 'NETWORK_UNREACHABLE',
        message: expect.stringMatching(/^the certificate of GitHub's API at \S+ is not trusted \([A-Z_]+\)$/),
        hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      });
    } finally {
      await server.stop();
      await tls.remove();
    }
  });

  it('refuse a key that another repository has, and say so', async () => {
    github.keys.add({ repository: 'acme/app', title: 'theirs', key: publicKey(1), readOnly: true });
    await expect(keys.add(newKey(1))).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      hint: expect.stringContaining('--abort'),
    });
  });

  it('say why GitHub refuses a key that is not in use, and do not say that it is', async () => {
    const error = { code: '422', message: 'Deploy keys are disabled for this repository', status: 422 };
    github.faults.order({ operation: 'POST *', fault: { error }, times: 1 });
    const failure = keys.add(newKey(1));
    await expect(failure).rejects.toThrow(/it answered 422 Deploy keys are disabled/);
    await expect(failure).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      hint: expect.stringMatching(/^check that .* is GitHub's API, and that the owner allows deploy keys/),
    });
  });

  it.each([
    ['read', 'CREDENTIAL_INVALID', 'permission "Administration"'],
    [undefined, 'CREDENTIAL_INVALID', 'permission "Administration"'],
  ])('need the permission to write: %s', async (administration, code, hint) => {
    const weak = openWith(administration === undefined ? {} : { administration });
    const failure = weak.add(newKey(1));
    await expect(failure).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
    await expect(failure).rejects.toThrow(
      /\/ci\/token cannot add a deploy key of acme\/lib on 127\.0\.0\.1: it answered 403 /,
    );
  });

  it('say which name to check if the repository is not found', async () => {
    const failure = openWith({ administration: 'write' }, 'acme/nothing').list();
    await expect(failure).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      hint: expect.stringContaining('acme/nothing'),
    });
  });

  it('say that the repository has another name if GitHub redirects', async () => {
    const moved = createServer((_, response) => {
      response.writeHead(301, { location: '/repositories/1/keys' }).end('{"message": "Moved Permanently"}');
    });
    await new Promise<void>((resolve) => moved.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = moved.address() as AddressInfo;
      const target = { repository: 'acme/old', token: 'none', tokenName: '/ci/token' };
      const failure = gitHubDeployKeys({ ...target, apiUrl: `http://127.0.0.1:${port}` }, options).list();
      await expect(failure).rejects.toMatchObject({
        code: 'PROVIDER_FAILED',
        hint: expect.stringContaining('acme/old was renamed or moved'),
      });
    } finally {
      moved.close();
    }
  });

  it('have the id that a server writes as text, and none where it writes nothing that can be one', async () => {
    const listed = [{ id: 7 }, { id: '7f' }, { id: null }, {}].map((more) => ({
      ...more,
      key: publicKey(1),
    }));
    const server = createServer((_, response) => response.end(JSON.stringify(listed)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const target = { repository: 'acme/lib', token: 'none', tokenName: '/ci/token' };
      const found = await gitHubDeployKeys({ ...target, apiUrl: `http://127.0.0.1:${port}` }, options).list();
      expect(found.map(({ id }) => id)).toEqual(['7', '7f', '', '']);
    } finally {
      server.close();
    }
  });

  it.each<[number, Record<string, string>, string, RegExp]>([
    [429, {}, 'PROVIDER_FAILED', /^run it again later: GitHub limits the rate of calls$/],
    [403, { 'retry-after': '60' }, 'PROVIDER_FAILED', /^run it again later/],
    [403, { 'x-ratelimit-remaining': '0' }, 'PROVIDER_FAILED', /^run it again later/],
    [403, { 'x-ratelimit-remaining': '1' }, 'CREDENTIAL_INVALID', /^give the token /],
    [399, {}, 'PROVIDER_FAILED', /^write the present name of the repository: acme\/lib was renamed or moved/],
    [400, {}, 'PROVIDER_FAILED', /^check that http:\S+ is GitHub's API, /],
  ])('have a hint for each refusal: %i %j', async (...[status, headers, code, hint]) => {
    const limited = createServer((_, response) => {
      response.writeHead(status, headers).end('{"message": "no"}');
    });
    await new Promise<void>((resolve) => limited.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = limited.address() as AddressInfo;
      const target = { repository: 'acme/lib', token: 'none', tokenName: '/ci/token' };
      const failure = gitHubDeployKeys({ ...target, apiUrl: `http://127.0.0.1:${port}` }, options).list();
      await expect(failure).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) });
    } finally {
      limited.close();
    }
  });

  it('name the parameter of a token that has expired, and not the token', async () => {
    const target = { repository: 'acme/lib', apiUrl: github.url, tokenName: '/ci/token' };
    const failure = gitHubDeployKeys({ ...target, token: 'github_pat_gone' }, options).list();
    await expect(failure).rejects.toMatchObject({
      code: 'CREDENTIAL_INVALID',
      hint: expect.stringContaining('store a token in /ci/token'),
    });
    await expect(failure).rejects.not.toThrow(/github_pat/);
  });

  it.each([
    ['https://api.github.com', 'git@github.com:acme/lib.git'],
    ['https://api.acme.ghe.com', 'git@acme.ghe.com:acme/lib.git'],
    ['https://git.acme.test/api/v3', 'git@git.acme.test:acme/lib.git'],
  ])('of the API at %s are for %s', async (apiUrl, url) => {
    const target = { repository: 'acme/lib', apiUrl, token: 'none', tokenName: '/ci/token' };
    expect(await gitHubDeployKeys(target, options).url()).toBe(url);
  });
});
