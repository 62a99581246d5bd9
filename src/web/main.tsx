import { render } from 'preact';
import { App } from './app.js';
import { FrameLoop } from './frame-loop.js';
import { Session } from './session.js';
import { Settings } from './settings.js';
import { restoreTheme } from './theme.js';

restoreTheme();
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element #app');
const session = new Session(new URL('./', location.href));
const loop = new FrameLoop();
const settings = new Settings(session.address, matchMedia('(min-width: 1021px)').matches);
render(<App session={session} loop={loop} settings={settings} />, root);
loop.start();
void session.start();
