import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gitLabDeployKeys } from '../../src/gitlab/deploy-keys.ts';
import { blobOf, type DeployKeys } from '../../src/keys/deploy-key.ts';
import { NotedKeys, options, publicKey } from '../deploy-key-hosts.ts';
import { startGitLabApi, type GitLabApi } from '../support/gitlab/gitlab-api.ts';

const project = { id: 7, path: 'acme/lib', sshUrl: 'git@git.acme.test:acme/lib.git' };

describe('the deploy keys of a project on GitLab', () => {
  let gitlab: GitLabApi;
  let ssh: NotedKeys;

  beforeEach(async () => {
    ssh = new NotedKeys();
    gitlab = await startGitLabApi([project, { id: 8, path: 'acme/app', sshUrl: '' }], { git: ssh });
  });
  afterEach(() => gitlab.stop());

  const open = (named = '7', token = gitlab.createToken()): DeployKeys =>
    gitLabDeployKeys({ project: named, apiUrl: gitlab.url, token, tokenName: '/ci/token' }, options);
  const give = (number: number): void => {
    const key = { repository: 'acme/lib', title: `key ${number}`, key: publicKey(number) };
    gitlab.keys.add({ ...key, readOnly: number % 2 === 0 });
  };

  it.each(['7', 'acme/lib'])('are listed over all pages, for the project %s', async (named) => {
    for (let number = 1; number <= 105; number++) give(number);
    const found = await open(named).list();
    expect(found).toHaveLength(105);
    expect(found[103]).toMatchObject({ title: 'key 104', readOnly: true, blob: blobOf(publicKey(104)) });
    expect(found[104]).toMatchObject({ readOnly: false });
  });

  it('tell the address of the project', async () => {
    expect(await open().url()).toBe(project.sshUrl);
  });

  it('are added and removed once, even if the first answers are lost', async () => {
    for (const operation of ['POST *', 'DELETE *']) {
      gitlab.faults.order({ operation, fault: 'unanswered', times: 1 });
    }
    const keys = open();
    await keys.add({ title: 'one', publicKey: publicKey(1), readOnly: false });
    expect(ssh.granted).toEqual([{ repository: 'acme/lib', publicKey: publicKey(1), write: true }]);
    const [one] = await keys.list();
    if (one) await keys.remove(one);
    expect(gitlab.keys.of('acme/lib')).toEqual([]);
  });

  it('refuse a key that another project has, and say so', async () => {
    gitlab.keys.add({ repository: 'acme/app', title: 'theirs', key: publicKey(1), readOnly: true });
    const adding = open().add({ title: 'one', publicKey: publicKey(1), readOnly: true });
    await expect(adding).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      hint: expect.stringContaining('in use elsewhere'),
    });
  });

  it.each([
    ['read_api', 'CREDENTIAL_INVALID', 'the scope "api" and the role Maintainer'],
    [undefined, 'CREDENTIAL_INVALID', 'store a token in /ci/token'],
  ])('need a token with the scope api: %s', async (scope, code, hint) => {
    const token = scope === undefined ? 'glpat-gone' : gitlab.createToken(scope);
    const adding = open('7', token).add({ title: 'one', publicKey: publicKey(1), readOnly: true });
    await expect(adding).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
    await expect(adding).rejects.not.toThrow(/glpat/);
  });

  it('say what to check if there is no such project', async () => {
    await expect(open('acme/nothing').list()).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      hint: expect.stringContaining('acme/nothing'),
    });
  });
});
