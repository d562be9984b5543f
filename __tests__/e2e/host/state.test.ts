import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect } from '@jest/globals';
import { canMount, program, works } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useHost } from './use-host.ts';
import { itWhere } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

const { uid } = userInfo();
const root = uid === 0;
/** Accounts of every Linux: ssh only starts for users that the system knows. */
const [daemon, nobody] = [1, 65534];
const readableByAll = root && works('setpriv', `--reuid=${nobody}`, '--clear-groups', 'test', '-r', program);

describeOnHost('the state folder of a user on a host', () => {
  const stand = useHost();
  const name = `ssm-ssh-agent-${uid}`;
  let temp: string;

  beforeEach(() => {
    temp = join(stand.host.home, 'tmp');
    mkdirSync(temp);
    chmodSync(temp, 0o1777);
    stand.host.env['TMPDIR'] = temp;
  });

  const inHome = (path: string): string => join(stand.host.home, path);
  const fetch = (): string => `git ls-remote ${stand.git.url('acme/lib')}`;
  /** The candidate folders in which an agent listens. */
  const listening = (): string[] =>
    [join(stand.host.runUser, String(uid), name), inHome(`.cache/${name}`), join(temp, name)].filter(
      (folder) => existsSync(join(folder, 'agent')),
    );

  /** Folders that exist but are not safe. */
  const squats: Readonly<Record<string, (path: string) => void>> = {
    'a symbolic link': (path) => {
      mkdirSync(`${path}-elsewhere`, { mode: 0o700 });
      symlinkSync(`${path}-elsewhere`, path);
    },
    'a link to nowhere': (path) => {
      symlinkSync('/nowhere/at/all', path);
    },
    'a file': (path) => {
      writeFileSync(path, '');
    },
    'a folder that its group can write to': (path) => {
      mkdirSync(path);
      chmodSync(path, 0o770);
    },
    'a folder that everyone can write to': (path) => {
      mkdirSync(path);
      chmodSync(path, 0o1777);
    },
    ...(root && {
      'a folder of somebody else': (path) => {
        mkdirSync(path, { mode: 0o700 });
        chownSync(path, nobody, nobody);
      },
      "somebody else's socket in a folder that its group may write to": (path) => {
        mkdirSync(path);
        chmodSync(path, 0o770);
        const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`;
        works(process.execPath, '-e', script, join(path, 'agent'));
        chownSync(join(path, 'agent'), nobody, nobody);
      },
    }),
  };

  it.each(Object.entries(squats))('is not %s, but the next candidate', async (_, squat) => {
    mkdirSync(inHome('.cache'));
    squat(inHome(`.cache/${name}`));
    const before = [...stand.host.files(inHome('.cache')).keys()];
    const { code, stderr } = await stand.host.run(fetch());
    expect([stderr, code]).toEqual(['', 0]);
    expect(existsSync(join(temp, name, 'agent'))).toBe(true);
    expect([...stand.host.files(inHome('.cache')).keys()]).toEqual(before);
  });

  it.each(Object.entries(squats))(
    'is not found, and AWS is not asked, if every candidate is %s',
    async (_, squat) => {
      mkdirSync(inHome('.cache'));
      for (const folder of [inHome('.cache'), temp]) squat(join(folder, name));
      const before = readdirSync(stand.host.home, { recursive: true });
      const { code, stdout, stderr } = await stand.host.run(`${program} ${stand.git.address}`);
      expect([code, stdout]).toEqual([255, '']);
      expect(stderr).toMatch(/^ssm-ssh: STATE_UNSAFE: .*\/run\/user.*\nhint: .*\n$/);
      expect(stderr).toContain(`check the owner of ${temp}/${name}`);
      expect(readdirSync(stand.host.home, { recursive: true })).toEqual(before);
      expect([stand.calls(), stand.host.processes()]).toEqual([0, []]);
    },
  );

  it('is not a folder that others can replace', async () => {
    chmodSync(temp, 0o777);
    const { code, stderr } = await stand.host.run(`${program} ${stand.git.address}`, { HOME: '/nowhere' });
    expect([code, existsSync(join(temp, name))]).toEqual([255, false]);
    expect(stderr).toContain('STATE_UNSAFE');
  });

  itWhere(root, 'a folder of another user needs root')(
    'is not in a temporary folder of another user, or below one',
    async () => {
      const { host } = stand;
      const inner = join(temp, 'inner');
      mkdirSync(inner);
      for (const [mode, place] of [
        [0o755, temp],
        [0o1777, temp],
        [0o755, inner],
      ] as const) {
        chmodSync(temp, mode);
        chownSync(temp, nobody, nobody);
        const env = { HOME: '/nowhere', TMPDIR: place };
        const { code, stderr } = await host.run(`${program} ${stand.git.address}`, env);
        expect([code, stderr]).toEqual([255, expect.stringContaining('STATE_UNSAFE') as unknown]);
        expect(stderr).toContain('and of its parent folders');
        expect(readdirSync(temp)).toEqual(['inner']);
        expect([readdirSync(inner), stand.calls()]).toEqual([[], 0]);
      }
    },
  );

  itWhere(root, 'a folder of another user needs root')(
    'of exec and add is not in a temporary folder of another user',
    async () => {
      const { host } = stand;
      chownSync(temp, nobody, nobody);
      const agent = join(program, '../ssm-ssh-agent');
      const { stdout } = await host.run(
        `${agent} exec --key /ci/key -- sh -c 'echo "$SSH_AUTH_SOCK"'; eval "$(${agent} add --quiet --agent /ci/key)"; echo "$SSH_AUTH_SOCK"; ssh-add -D -q; kill "$SSH_AGENT_PID"`,
      );
      const sockets = stdout.trim().split('\n');
      expect(sockets.length).toBeGreaterThan(1);
      for (const socket of sockets) expect(socket).toMatch(/^\/tmp\/ssm-ssh-agent-(exec|add)-/);
      expect(readdirSync(temp)).toEqual([]);
    },
  );

  it('has a shorter path if the path of the socket would be too long', async () => {
    const home = inHome('long'.repeat(25));
    mkdirSync(home);
    expect((await stand.host.run(fetch(), { HOME: home })).code).toBe(0);
    expect(existsSync(join(temp, name, 'agent'))).toBe(true);
  });

  it.each(["with'quotes$and`more", 'with\nline end'])('is another candidate if HOME is %j', async (odd) => {
    const home = inHome(odd);
    mkdirSync(home);
    const { stderr, code } = await stand.host.run(fetch(), { HOME: home });
    expect([stderr, code]).toEqual(['', 0]);
    expect(existsSync(join(temp, name, 'agent'))).toBe(true);
  });

  it('is another candidate if the path of HOME is not UTF-8', async () => {
    const { stderr, code } = await stand.host.run(
      `export HOME=$(printf '%s/\\377' "$PWD"); mkdir "$HOME"; ${fetch()}`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(existsSync(join(temp, name, 'agent'))).toBe(true);
  });

  it('is not found, with the reason for each candidate', async () => {
    const home = inHome('long'.repeat(25));
    mkdirSync(home);
    chmodSync(temp, 0o777);
    const { stderr } = await stand.host.run(`${program} ${stand.git.address}`, { HOME: home });
    expect(stderr).toMatch(
      /^ssm-ssh: STATE_UNSAFE: .*\nhint: .*: its name is too long for the path of a socket; /,
    );
    expect(stderr).toContain(`${temp}/${name}: others own or may write to one of its parent folders`);
  });

  for (const size of ['size=4k', 'size=1m,nr_inodes=1'])
    itWhere(canMount, 'a mount namespace needs root')(
      `is kept in the next place where the disk of the first is full (${size})`,
      async () => {
        const { host } = stand;
        const fill = `mkdir -p $HOME/.cache; mount -t tmpfs -o ${size} none $HOME/.cache; head -c 4096 /dev/zero >$HOME/.cache/x || true`;
        const first = await host.run(`${fill}; ${fetch()}; ls -A $HOME/.cache`);
        expect([first.stderr.replace(/^head: .*\n|^.*No space.*\n/gm, ''), first.code]).toEqual(['', 0]);
        expect(first.stdout.replace(/.*\t.*\n/g, '')).toMatch(/^(x\n)?$/);
        expect(existsSync(join(temp, name, 'agent'))).toBe(true);
      },
    );

  itWhere(canMount, 'a mount namespace needs root')(
    'is not found if all disks are full, or one becomes full later: one error each',
    async () => {
      const { host } = stand;
      const fill = `mount -t tmpfs -o size=64k none $HOME/.cache; mount -t tmpfs -o size=4k none $TMPDIR; head -c 4096 /dev/zero >$TMPDIR/x`;
      const full = `head -c 65536 /dev/zero >$HOME/.cache/x 2>/dev/null || true`;
      const { stderr } = await host.run(
        `mkdir $HOME/.cache; ${fill}; ${full}; ${program} ${stand.git.address} || true`,
      );
      expect(stderr).toMatch(/^ssm-ssh: STATE_UNSAFE: .*\nhint: .*: its disk is full.*: its disk is full\n$/);
      const later = await host.run(
        `mkdir -p $HOME/.cache; ${fill}; ${fetch()} >/dev/null; rm $HOME/.cache/*/keys/*/live; ${full}; SSM_SSH_KEY=/ci/key:1 ${fetch()} || true`,
      );
      expect(later.stderr).toMatch(/^ssm-ssh: STATE_UNSAFE: .*\nhint: .*\n/);
      expect(later.stderr).not.toMatch(/^ {4}at |node:internal/m);
    },
  );

  it('is another candidate if another machine with the same home folder uses it, until that machine is gone', async () => {
    const { host } = stand;
    const theirs = inHome(`.cache/${name}`);
    mkdirSync(theirs, { recursive: true, mode: 0o700 });
    writeFileSync(join(theirs, 'machine'), 'elsewhere\n');
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`;
    works(process.execPath, '-e', script, join(theirs, 'agent'));
    const before = readdirSync(theirs).sort();
    for (let times = 0; times < 2; times++) expect((await host.run(fetch())).code).toBe(0);
    expect([readdirSync(theirs).sort(), existsSync(join(temp, name, 'agent')), stand.calls()]).toEqual([
      before,
      true,
      1,
    ]);
    await host.run(`${join(program, '../ssm-ssh-agent')} flush`);
    mkdirSync(theirs, { mode: 0o700 });
    writeFileSync(join(theirs, 'machine'), 'elsewhere\n');
    await host.run(`touch -d '2 days ago' ${join(theirs, 'machine')}`);
    expect((await host.run(fetch())).code).toBe(0);
    expect(listening()).toEqual([theirs]);
  });

  it('is closed for others if it belongs to the user', async () => {
    mkdirSync(inHome(`.cache/${name}`), { recursive: true, mode: 0o755 });
    expect((await stand.host.run(fetch())).code).toBe(0);
    expect(listening()).toEqual([inHome(`.cache/${name}`)]);
    const { stdout } = await stand.host.run(`find ${inHome(`.cache/${name}`)} -perm /077`);
    expect(stdout).toBe('');
  });

  itWhere(canMount, 'a mount namespace needs root')(
    "is in the system's folder for this user, if there is one",
    async () => {
      const own = join(stand.host.runUser, String(uid));
      mkdirSync(own, { mode: 0o700 });
      expect((await stand.host.run(fetch())).code).toBe(0);
      expect(listening()).toEqual([join(own, name)]);
      await stand.host.run(`${join(program, '../ssm-ssh-agent')} flush`);
      expect([listening(), existsSync(join(own, name))]).toEqual([[], false]);
    },
  );

  itWhere(canMount, 'a mount namespace needs root')(
    'is not a link in /run/user, or a folder of another user there',
    async () => {
      mkdirSync(join(stand.host.home, 'target'), { mode: 0o700 });
      symlinkSync(join(stand.host.home, 'target'), join(stand.host.runUser, String(uid)));
      mkdirSync(join(stand.host.runUser, String(nobody)), { mode: 0o777 });
      chownSync(join(stand.host.runUser, String(nobody)), nobody, nobody);
      expect((await stand.host.run(fetch())).code).toBe(0);
      expect(listening()).toEqual([inHome(`.cache/${name}`)]);
      expect(readdirSync(join(stand.host.runUser, String(nobody)))).toEqual([]);
    },
  );

  itWhere(readableByAll, 'users of one host need root, and a project that all may read')(
    'is separate for each user, if they share everything else',
    async () => {
      const { host } = stand;
      chmodSync(host.home, 0o755);
      for (const user of [daemon, nobody]) {
        const { stderr, code } = await host.run(fetch(), {}, user);
        expect([stderr, code]).toEqual(['', 0]);
      }
      expect(stand.calls()).toBe(2);
      expect(readdirSync(temp).sort()).toEqual([`ssm-ssh-agent-${daemon}`, `ssm-ssh-agent-${nobody}`]);
      const agents = host.processes().filter(({ command }) => command.startsWith('ssh-agent'));
      expect(agents.length).toBe(2);
      for (const [user, other] of [
        [daemon, nobody],
        [nobody, daemon],
      ] as const) {
        const theirs = `${temp}/ssm-ssh-agent-${other}`;
        const look = await host.run(
          `ls ${theirs} || true; SSH_AUTH_SOCK=${theirs}/agent ssh-add -l || true`,
          {},
          user,
        );
        expect(look.stdout).toBe('');
        expect(look.stderr).toMatch(/Permission denied[^]*Permission denied/);
      }
      expect((await host.run(fetch(), {}, daemon)).code).toBe(0);
      expect(stand.calls()).toBe(2);
    },
  );
});
