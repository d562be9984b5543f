/** The folder of a user without a home folder. Where it is otherwise, e2e/host shows. */
import { expect, it } from '@jest/globals';
import { findStateFolder } from '../../src/host/state-folder.ts';

it('is looked for in HOME, in the message, where no home folder is known', async () => {
  // No such user has a folder in /run/user.
  const user = { id: 4_000_000_000, home: undefined, temporary: '/nowhere/tmp' };
  await expect(findStateFolder(user)).rejects.toMatchObject({
    code: 'STATE_UNSAFE',
    message: 'no folder in /run/user, HOME/.cache or /nowhere/tmp belongs only to this user',
    hint: expect.stringMatching(/^check the owner of \/nowhere\/tmp\/ssm-ssh-agent-4000000000 /),
  });
});
