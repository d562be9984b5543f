/** `describe` for ssm-ssh on a host. Not run if the state folder would be the tester's own, which a test must not touch. */
import { stateIsOurs } from './ec2-host.ts';
import { describeWhere } from './needs.ts';

export const describeOnHost = describeWhere(stateIsOurs, 'a host needs root, or no /run/user/UID');
