import '../support/suite/rest.ts';
import './clients.test.ts';
