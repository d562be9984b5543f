/** `describe` for ssm-ssh on a host, whose state would otherwise lie where the tester's own is: nothing that a test may touch. */
import { stateIsOurs } from './ec2-host.ts';
import { describeWhere } from './needs.ts';

export const describeOnHost = describeWhere(stateIsOurs, 'a host needs root, or no /run/user/UID');
