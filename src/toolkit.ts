/** The runner as main sees it: @actions/core and @actions/exec, and nobody else imports them. */
import * as core from '@actions/core';
import { getExecOutput } from '@actions/exec';
import { which } from '@actions/io';
import type { Workflow } from './action/workflow.ts';
import { ProgramNotFound, type Run } from './ssh/run.ts';

export const program = 'ssm-ssh-agent';

export const workflow: Workflow = {
  info: core.info,
  warn: (message) => {
    core.warning(`${program}: ${message}`);
  },
  fail: (failure) => {
    core.error(failure.render(program), { title: failure.code });
  },
  mask: core.setSecret,
  exportVariable: core.exportVariable,
  addPath: core.addPath,
  setOutput: core.setOutput,
  saveState: core.saveState,
};

export const run: Run = async ([name, ...args], { env, input }) => {
  const path = await which(name, false);
  if (!path) throw new ProgramNotFound(`${name} is not on PATH`);
  return await getExecOutput(path, args, {
    env,
    silent: true,
    ignoreReturnCode: true,
    ...(input !== undefined && { input: Buffer.from(input) }),
  });
};
