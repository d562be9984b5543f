/** The choice of explain in a job with several uses of the action, which helper/ssm-ssh-job.sh decides by the same rules. */
import { describe, expect, it } from '@jest/globals';
import { compile } from '../../src/host/compile.ts';
import { chooseKeys, passedSettings, type Situation } from '../../src/host/explain.ts';
import { readRouteLines } from '../../src/keys/route-lines.ts';
import { parseRepositoryPattern, renderRoutes } from '../../src/keys/routes.ts';

const remote = { host: 'github.com', path: 'acme/lib' };

function use(folder: string, repositories: readonly string[]) {
  const keys = repositories.map((names, number) => ({
    fingerprint: `SHA256:${folder}-${String(number)}`,
    repositories: names.split(' ').filter(Boolean).map(parseRepositoryPattern),
  }));
  return { folder, routes: readRouteLines(renderRoutes(keys)) };
}

function choose(uses: readonly ReturnType<typeof use>[], more: Partial<Situation> = {}) {
  const entries = [{ scope: 'global', name: 'ssm.github.com/acme/lib.key', value: '/ci/lib' }];
  const compiled = compile({ entries }, {}, { byGit: true, jobRegion: '' });
  const { by, keys, passedOver } = chooseKeys({
    ...{ remote, compiled, env: {}, uses, usesHostKeys: true, foreign: undefined },
    sourceOf: (name) => ({ name, scope: 'global' }),
    ...more,
  });
  return { by, keys: keys.map(({ reference, fingerprint }) => reference ?? fingerprint), passedOver };
}

describe('explain in a job', () => {
  it('takes the most specific route of all uses, and of equal ones the latest use', () => {
    expect(choose([use('b', ['github.com/acme']), use('a', ['github.com/acme/lib'])]).keys).toEqual([
      'SHA256:a-0',
    ]);
    expect(choose([use('b', ['github.com/acme']), use('a', ['github.com/acme'])]).keys).toEqual([
      'SHA256:b-0',
    ]);
  });

  it('takes a line of keys before a section, and a section before a default key of the job', () => {
    expect(choose([use('b', ['github.com'])])).toMatchObject({ by: 'route', keys: ['SHA256:b-0'] });
    expect(choose([use('b', ['', 'gitlab.com'])])).toMatchObject({ by: 'section', keys: ['/ci/lib'] });
  });

  it('passes the keys of git’s configuration over in the command of exec, and says so', () => {
    const chosen = choose([use('b', [''])], { usesHostKeys: false });
    expect(chosen).toMatchObject({ by: 'default', keys: ['SHA256:b-0'] });
    expect(chosen.passedOver).toEqual([
      expect.objectContaining({ what: '/ci/lib', why: 'the command of exec uses the keys of exec only' }),
    ]);
  });

  it('takes the default keys of the latest use that has some', () => {
    const compiled = compile({ entries: [] }, {}, { byGit: true, jobRegion: '' });
    const uses = [use('c', ['gitlab.com']), use('b', ['', '']), use('a', [''])];
    expect(choose(uses, { compiled }).keys).toEqual(['SHA256:b-0', 'SHA256:b-1']);
  });
});

describe('the settings that explain passes over', () => {
  const entry = (value: string, name = 'ssm.key') => ({ scope: 'global', name, value });
  const passed = (...entries: ReturnType<typeof entry>[]) =>
    passedSettings(entries, [], () => undefined).map(({ what, why }) => [what, why]);

  it('are an empty value, which has no text, and none that counts', () => {
    expect(passed(entry('/ci/lib'))).toEqual([]);
    expect(passed(entry(''))).toEqual([['ssm.key', 'an empty value means: not set']]);
  });

  it('are a value before a later one of the same name', () => {
    const replaced = ['/ci/old', 'a later value of the same name counts'];
    expect(passed(entry('/ci/old'), entry('/ci/lib'))).toEqual([replaced]);
    expect(passed(entry('/ci/old'), entry(''))).toEqual([
      replaced,
      ['ssm.key', 'an empty value means: not set'],
    ]);
    expect(passed(entry('/ci/old'), entry('/ci/lib', 'ssm.github.com.key'))).toEqual([]);
  });
});
