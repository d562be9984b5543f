/** A stand-in for the post step of webfactory/ssh-agent 0.9: it ends the agent. */
import { execFileSync } from 'node:child_process';

execFileSync('ssh-agent', ['-k'], { stdio: 'inherit' });
