/** What exec does: starts a private agent, loads the keys, runs the command, and ends the agent. */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { startPrivateFront } from '../../src/host/start-front.ts';
import { identityOf, servedKey, type UsableKey } from '../../src/host/usable-key.ts';
import { isStoredLine, type KeyLine } from '../../src/keys/key-line.ts';
import { renderRoutes } from '../../src/keys/routes.ts';
import { renderSigningLines } from '../../src/keys/signing-lines.ts';
import { runAttached } from '../../src/process/attached.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import type { Agent } from '../../src/ssh/agent.ts';
import { addKeys } from '../../src/ssh/agent-keys.ts';
import {
  canStart,
  exclusively,
  fillKeyFolder,
  folderOfCommand,
  keyFolder,
  publicKeyFile,
  type KeyFolder,
} from '../../src/ssh/key-folder.ts';
import { startPrivateAgent } from '../../src/ssh/private-agent.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import type { Running } from '../command-line/command.ts';
import { readKnownHosts } from '../command-line/known-hosts-option.ts';
import { describeKey, readKeys, toAdd, voiceOf, type Speech } from '../command-line/keys.ts';
import type { Account } from '../command-line/account.ts';
import { parseAnyKey, parseCachedAccount, parseDuration } from '../command-line/settings.ts';
import { startFrontFor } from '../command-line/signing-keys.ts';
import { nameTemporaryFolder } from '../command-line/temporary-folder.ts';
import { notStarted } from './not-started.ts';
import type { execOptions } from './options.ts';

export async function runExec(line: Line<typeof execOptions>, running: Running): Promise<number> {
  const { values } = line;
  const argv = commandOf(line);
  if (values.key.length === 0) throw invalid('exec has no key to load', 'write --key /NAME in front of --');
  const lines = values.key.map((text) => parseAnyKey(text, '--key'));
  const lifetime = parseDuration('--lifetime', values.lifetime ?? '0');
  const strictHostKeyChecking = values['strict-host-key-checking'] ?? 'yes';
  const account = parseCachedAccount(values);
  const knownHosts = await readKnownHosts(values['known-hosts'], running.signal);
  const around = foldersAround(running.env['GIT_SSH_COMMAND']);
  const folder = keyFolder(nameTemporaryFolder('exec', around && dirname(around)));
  const isBehind = !lines.every(isStoredLine);
  const agent = await startPrivateAgent({ ...folder, ...(isBehind && { socket: backOf(folder) }) }, running);
  let front: Front | undefined;
  try {
    const loading = { folder, lifetime, account: { ...values, ...account }, running };
    front = isBehind ? await startFront(lines, loading) : undefined;
    const stored = await readStored(lines, loading);
    const keys = inOrder(lines, stored, front);
    fillKeyFolder(folder, {
      ...{ knownHosts, strictHostKeyChecking, routes: renderRoutes(keys) },
      signing: renderSigningLines(lines),
      identities: keys.map((key, number) => identityOf(key, lines[number]?.signing !== undefined)),
      before: { folder: earlierFolder(folder, around), agent: running.env['SSH_AUTH_SOCK'] ?? '' },
      programs: Object.fromEntries(
        ['ssm-ssh', 'ssm-ssh-job.sh'].map((name) => [
          name,
          readFileSync(join(running.installation, 'helper', name), 'utf8'),
        ]),
      ),
    });
    // For EC2 hosts ssm-ssh needs the whole installation, and not only its copy.
    await writeFile(join(folder.path, 'origin'), `${running.installation}\n${running.node}\n`, exclusively);
    await addKeys(agent, stored.map(toAdd), { lifetime, signal: running.signal });
    for (const key of keys) voiceOf(values, running).info(describeKey(key));
    running.signal.throwIfAborted();
    return await runWith(argv, { ...running, agent: front ?? agent, folder });
  } finally {
    await front?.end();
    await agent.end();
  }
}

type Front = Awaited<ReturnType<typeof startPrivateFront>>;

interface Loading {
  readonly folder: KeyFolder;
  /** Seconds. */
  readonly lifetime: number;
  readonly account: Account & Speech;
  readonly running: Running;
}

async function readStored(lines: readonly KeyLine[], { account, running }: Loading): Promise<LoadedKey[]> {
  const stored = lines.filter(isStoredLine);
  return stored.length > 0 ? await readKeys(stored, account, running) : [];
}

/** The agent for keys in KMS takes the place of OpenSSH's, which is then behind it. */
async function startFront(
  lines: readonly KeyLine[],
  { folder, lifetime, ...loading }: Loading,
): Promise<Front> {
  const { path, socket, knownHosts } = folder;
  const orders = lines.flatMap((line, number) =>
    isStoredLine(line)
      ? []
      : [{ line, lifetime, knownHosts: [knownHosts], certificateFile: publicKeyFile(folder, number) }],
  );
  const place = { socket, control: join(path, 'control'), back: backOf(folder) };
  return await startFrontFor(orders, { ...loading, place }, startPrivateFront);
}

function backOf({ path }: KeyFolder): string {
  return join(path, 'back');
}

/** The keys in the order of the lines. */
function inOrder(
  lines: readonly KeyLine[],
  stored: readonly LoadedKey[],
  front: Front | undefined,
): UsableKey[] {
  const [fromStores, fromFront] = [[...stored], [...(front?.keys ?? [])]];
  return lines.map((line) => {
    if (isStoredLine(line)) return found(fromStores.shift());
    return servedKey(line, found(fromFront.shift()));
  });
}

function found<T>(key: T | undefined): T {
  if (key === undefined) throw new TypeError('a line has no key');
  return key;
}

function commandOf({ words, behind, values }: Line<typeof execOptions>): readonly [string, ...string[]] {
  const [program = '', ...args] = behind ?? [];
  if (words.length > 0) {
    const line = [...values.key.slice(-1), ...words].join(' ');
    const hint =
      behind && values.key.length > 0
        ? `what belongs to a key is one word with it: --key ${quoteForShell(line)}`
        : 'write -- in front of the command: exec --key REF -- COMMAND';
    throw invalid(`"${words.join(' ')}" stands before --`, hint);
  }
  if (program === '')
    throw invalid('exec has no command to run', 'write it behind --: exec --key REF -- COMMAND');
  return [program, ...args];
}

/** The folder of the job or of the exec around this one. Its keys stay available. */
function foldersAround(command = ''): string | undefined {
  const path = folderOfCommand(command);
  return path !== undefined && existsSync(join(path, 'routes')) ? path : undefined;
}

/** By its name, for folders beside one another: where a socket's path would be too long there, ours is elsewhere. */
function earlierFolder({ path }: KeyFolder, around: string | undefined): string {
  return around !== undefined && dirname(around) === dirname(path) ? basename(around) : '';
}

type Started = Running & { readonly agent: Agent; readonly folder: KeyFolder };

async function runWith(argv: readonly [string, ...string[]], started: Started): Promise<number> {
  const { agent, folder, env, signals, terminal } = started;
  const own = {
    SSH_AUTH_SOCK: agent.socket,
    SSH_AGENT_PID: String(agent.pid),
    GIT_SSH_COMMAND: `${(await canStart(folder)) ? '' : 'sh '}${quoteForShell(folder.ssh)}`,
    GIT_SSH_VARIANT: 'ssh',
    PATH: [folder.programs, env['PATH'] ?? []].flat().join(delimiter),
  };
  try {
    return await runAttached(argv, { env: { ...env, ...own }, signals, terminal });
  } catch (error) {
    throw notStarted(argv[0], own, error);
  }
}
