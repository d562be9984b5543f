/** The steps of git-credential-ssm, of the commands and of connections to EC2 hosts, with the troubles of each. */
import { homeDisk, tempDisk, type HostRow, type HostStep } from './host-row.ts';
import { disks, each, git, programs, rowsOf, small } from './host-rows.ts';
import { closed, fileSize, full, fullErrors, fullOutput, openFiles, type LocalTrouble } from './troubles.ts';

const description = `protocol=https\\nhost=github.com\\nusername=octo\\n`;
const stored = `printf '${description}password=typed pass word 17\\n\\n' | "$CREDENTIAL" store`;
const storing =
  'git config --global ssm.storePrefix /git-credentials; git config --global ssm.region eu-west-1';
const userAgent = 'export SSH_AUTH_SOCK=$FOLDER/own/agent';
const startAgent = `${userAgent}; eval "$(ssh-agent -a "$SSH_AUTH_SOCK")" >/dev/null; echo "$SSH_AGENT_PID" >"$FOLDER/own/pid"`;
const endAgent = 'kill "$(cat "$FOLDER/own/pid")"';
const setup = '"$AGENT" setup --global --key /ci/key --region eu-west-1 >/dev/null';
const remove = '"$AGENT" setup --global --remove >/dev/null';
const rotate =
  '"$AGENT" rotate "$ROTATED" --github-repo acme/lib --api-url "$API_URL" --token /ci/github-token --test "$URL" --known-hosts "$FOLDER/known" --quiet';
const sshOptions = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
const proxy = `ssh -F none -i "$FOLDER/own/login" ${sshOptions.map((option) => `-o ${option}`).join(' ')} -o LogLevel=ERROR -o ProxyCommand='"$AGENT" proxy -- %h %p' $EC2 true`;

const steps = {
  get: {
    name: 'git-credential-ssm get',
    before: 'git config --global ssm.github.com.credential /ci/token',
    run: `set -o pipefail; printf 'protocol=https\\nhost=github.com\\n\\n' | "$CREDENTIAL" get`,
    after: 'rm "$HOME/.gitconfig"',
  },
  store: { name: 'git-credential-ssm store', before: storing, run: stored, after: 'rm "$HOME/.gitconfig"' },
  erase: {
    name: 'git-credential-ssm erase',
    before: `${storing}; ${stored}`,
    run: `printf '${description}\\n' | "$CREDENTIAL" erase`,
    after: 'rm "$HOME/.gitconfig"',
  },
  setup: { name: 'setup', run: setup, after: remove },
  remove: { name: 'setup --remove', before: setup, run: remove },
  add: { name: 'add', before: startAgent, run: `${userAgent}; "$AGENT" add /ci/key`, after: endAgent },
  addAgent: {
    name: 'add --agent',
    run: 'set -e; lines=$("$AGENT" add /ci/key --agent); eval "$lines" >/dev/null; kill "$SSH_AGENT_PID"',
  },
  exec: { name: 'exec', run: '"$AGENT" exec --key /ci/key -- ssh-add -l' },
  keygen: { name: 'keygen', run: '"$AGENT" keygen /ci/made --overwrite' },
  put: { name: 'put', run: '"$AGENT" put /ci/put "$FOLDER/key" --overwrite' },
  public: { name: 'public', run: '"$AGENT" public /ci/key' },
  ec2: { name: 'ssm-ssh to an EC2 host', run: '"$SSM_SSH" $EC2 true' },
  rotate: {
    ...{ name: 'rotate', rotates: true, run: rotate },
    // It goes on where it stopped, if it stopped.
    again: `${rotate} 2>/dev/null || true; ${rotate} --finish`,
  },
  proxy: { name: 'proxy', run: proxy },
} satisfies Record<string, HostStep>;

const stopped: LocalTrouble = {
  name: 'the agent stopped',
  make: 'kill -STOP "$(cat "$FOLDER/own/pid")"',
  end: 'kill -CONT "$(cat "$FOLDER/own/pid")"',
};
const killed: LocalTrouble = {
  name: 'the agent killed',
  make: endAgent,
  end: `rm -f "$FOLDER/own/agent"; ${startAgent}`,
};

/** With 64 Node starts, and cannot load everything. */
const files = each([16, 40, 64, 80].map(openFiles), ['ok', 'STATE_UNSAFE']);
const allDisks = disks('ok', homeDisk, tempDisk);

export const commandRows: readonly HostRow[] = [
  ...rowsOf(
    steps.get,
    ...git('GIT_NOT_FOUND'),
    ...allDisks,
    ...files,
    ...each([fileSize, fullErrors, ...closed], 'ok'),
    [fullOutput, 'STATE_UNSAFE'],
  ),
  ...rowsOf(steps.store, ...git('GIT_NOT_FOUND'), ...allDisks, ...files, [fullErrors, 'ok']),
  ...rowsOf(steps.erase, ...git('GIT_NOT_FOUND'), ...allDisks, ...files, [fullErrors, 'ok']),
  ...rowsOf(
    steps.setup,
    ...git('GIT_NOT_FOUND'),
    ...disks(['STATE_UNSAFE', 'INPUT_INVALID'], homeDisk),
    ...each(small(homeDisk).slice(0, 4), ['ok', 'STATE_UNSAFE']),
    [full(4, homeDisk), ['ok', 'STATE_UNSAFE']],
    ...disks('ok', tempDisk),
    ...files,
    [fileSize, 'STATE_UNSAFE'],
    ...each([fullErrors, ...closed], 'ok'),
  ),
  ...rowsOf(
    steps.remove,
    ...git('GIT_NOT_FOUND'),
    ...disks(['ok', 'STATE_UNSAFE', 'INPUT_INVALID'], homeDisk),
    ...each(small(homeDisk).slice(0, 4), ['ok', 'STATE_UNSAFE']),
    ...files,
    [fullErrors, 'ok'],
  ),
  ...rowsOf(
    steps.add,
    [stopped, 'AGENT_FAILED'],
    [killed, 'AGENT_NOT_FOUND'],
    ...allDisks,
    ...files,
    ...each([fileSize, fullErrors, fullOutput, ...closed], 'ok'),
  ),
  ...rowsOf(
    steps.addAgent,
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', 'AGENT_FAILED']),
    // A folder and a socket take no room of this disk.
    ...disks(['ok', 'STATE_UNSAFE', 'AGENT_FAILED'], tempDisk),
    ...each(small(tempDisk).slice(0, 4), ['ok', 'STATE_UNSAFE']),
    ...files,
  ),
  ...rowsOf(
    steps.exec,
    // A shell starts it, whose own code for a missing program is 127.
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', ['AGENT_FAILED', 'AGENT_NOT_FOUND']]),
    ...disks('STATE_UNSAFE', tempDisk),
    ...disks('ok', homeDisk),
    ...each(small(tempDisk), ['ok', 'STATE_UNSAFE']),
    ...files,
    [fileSize, 'STATE_UNSAFE'],
    ...each([fullErrors, ...closed], 'ok'),
  ),
  ...rowsOf(steps.keygen, ...allDisks, ...files, ...each([fileSize, fullErrors, ...closed], 'ok'), [
    fullOutput,
    'STATE_UNSAFE',
  ]),
  ...rowsOf(steps.put, ...allDisks, ...files, ...each([fileSize, fullErrors, ...closed], 'ok'), [
    fullOutput,
    'STATE_UNSAFE',
  ]),
  ...rowsOf(steps.public, ...allDisks, ...files, ...each([fileSize, fullErrors, ...closed], 'ok')),
  ...rowsOf(
    steps.ec2,
    ...programs('ssh', ['SSH_NOT_FOUND', undefined, ['ok', 'failed']]),
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', 'AGENT_FAILED']),
    ...git('ok'),
    ...programs('flock', ['ok', 'TIMEOUT', ['ok', 'TIMEOUT']]),
    ...disks('STATE_UNSAFE', homeDisk, tempDisk),
    ...each(small(homeDisk, tempDisk), ['ok', 'STATE_UNSAFE']),
    ...files,
    [fileSize, 'STATE_UNSAFE'],
    [fullErrors, 'ok'],
    ...each(closed, ['ok', 'failed']),
  ),
  ...rowsOf(
    steps.rotate,
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', ['AGENT_FAILED', 'AGENT_NOT_FOUND']]),
    ...programs('git', ['GIT_NOT_FOUND', 'TIMEOUT', 'PROVIDER_FAILED']),
    ...programs('ssh', ['SSH_NOT_FOUND', 'TIMEOUT', 'PROVIDER_FAILED']),
    ...disks('ok', homeDisk),
    ...disks('STATE_UNSAFE', tempDisk),
    ...each(small(tempDisk).slice(0, 4), ['ok', 'STATE_UNSAFE']),
    ...files,
    [fileSize, 'STATE_UNSAFE'],
    ...each([fullErrors, ...closed], 'ok'),
  ),
  ...rowsOf(
    steps.proxy,
    // Without git there are no settings, and a git that hangs does not say which there are.
    ...programs('git', ['ok', 'TIMEOUT', 'ok']),
    ...disks('ok', homeDisk, tempDisk),
    ...each([16, 40, 64, 80].map(openFiles), ['ok', 'STATE_UNSAFE']),
    ...each([fileSize, fullErrors, ...closed], 'ok'),
  ),
];
