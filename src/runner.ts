/** The runner for main. Only this file imports @actions/core and @actions/exec. */
import * as core from '@actions/core';
import type { Workflow } from './action/workflow.ts';
import { abortable, within } from './deadline.ts';
import { Failure, isFull } from './errors.ts';
import { visible } from './keys/visible-text.ts';
import { ProgramNotFound } from './process/program-not-found.ts';
import type { Run } from './process/run.ts';
import { maskCommands } from './workflow-commands.ts';

export const program = 'ssm-ssh-agent';

export const workflow: Workflow = {
  info: (line) => {
    core.info(visible(line));
  },
  debug: (line) => {
    core.debug(visible(line));
  },
  warn: (message) => {
    core.warning(`${program}: ${visible(message)}`);
  },
  fail: (failure) => {
    core.error(failure.render(program), { title: failure.code });
  },
  mask: (...secrets) => {
    if (secrets.length > 0) core.info(maskCommands(secrets));
  },
  exportVariable: (name, value) => {
    written('GITHUB_ENV', () => {
      core.exportVariable(name, value);
    });
  },
  addPath: (folder) => {
    written('GITHUB_PATH', () => {
      core.addPath(folder);
    });
  },
  setOutput: (name, value) => {
    written('GITHUB_OUTPUT', () => {
      core.setOutput(name, value);
    });
  },
  // A missing or full step summary must not fail the step.
  summarize: async (markdown) => {
    await core.summary.addRaw(markdown, true).write().catch(core.debug);
  },
  saveState: (name, value) => {
    written('GITHUB_STATE', () => {
      core.saveState(name, value);
    });
  },
};

/** @throws STATE_UNSAFE */
function written(file: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    if (isFull(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : '';
    throw new Failure('STATE_UNSAFE', `the file of ${file} cannot be written (${why})`, {
      hint: `the Actions runner sets ${file}; it has to be a file that the runner's user may write to`,
      cause,
    });
  }
}

/** The messages of @actions/exec if it cannot find or start a program. */
const notStarted = /^Unable to locate executable file|^There was an error when attempting to execute/;

/** Milliseconds. The runner kills a cancelled step after ten seconds. */
const lastPatience = 1000;

/**
 * Prints nothing. @actions/exec takes no signal, so after the signal this waits a moment for the program: while it starts,
 * its command line does not name its socket yet. A program that takes longer is found by the socket in its command line
 * (action/unload-keys.ts), or the runner ends it with the job.
 */
export const run: Run = async ([program, ...args], { env, signal }) => {
  const options = { env: { ...env }, silent: true, ignoreReturnCode: true };
  // getExecOutput takes a command line with words in double quotes.
  const command = `"${program.replaceAll('"', '\\"')}"`;
  const { getExecOutput } = await import('@actions/exec');
  signal.throwIfAborted();
  const running = getExecOutput(command, args, options);
  try {
    return await abortable(running, signal);
  } catch (error) {
    await within(lastPatience, running).catch(() => undefined);
    if (!(error instanceof Error) || !notStarted.test(error.message)) throw error;
    throw new ProgramNotFound(`${program} is not on PATH`, { cause: error });
  }
};
