import { ReconnectingWebSocket } from '/longshore/browser.js';

const at = (id) => document.getElementById(id);
const MESSAGES_MAX = 500;
let socket;
let me = { name: '', room: '' };

at('name').value = localStorage.getItem('name') ?? '';

at('door').addEventListener('submit', (event) => {
  event.preventDefault();
  me = { name: at('name').value.trim(), room: at('room').value.trim() };
  localStorage.setItem('name', me.name);
  at('refusal').textContent = '';
  if (socket?.open) join();
  else if (!socket) connect();
});

at('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = at('text').value;
  if (text.trim() === '') return;
  if (send({ type: 'say', text })) at('text').value = '';
  else note('not sent: there is no connection at the moment');
});

function connect() {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
  socket = new ReconnectingWebSocket(url, {
    onOpen: join,
    onMessage: (data) => show(JSON.parse(data)),
    onLost: lost,
  });
}

function lost(ms, code) {
  const again = `${(ms / 1000).toFixed(1)} s`;
  state(`lost (${code}), back in ${again}`, 'lost');
  if (at('chat').hidden)
    at('refusal').textContent = `The server does not answer; next try in ${again}.`;
}

function join() {
  send({ type: 'join', ...me });
}

function send(message) {
  return socket.send(JSON.stringify(message));
}

function show(message) {
  if (message.type === 'joined') entered(message);
  else if (message.type === 'say') said(message);
  else if (message.type === 'people') people(message.people);
  else if (at('chat').hidden) at('refusal').textContent = message.text;
  else note(message.text);
}

function entered({ room, process }) {
  at('door').hidden = true;
  at('chat').hidden = false;
  at('title').textContent = room;
  at('refusal').textContent = '';
  servedBy(process);
  at('text').focus();
}

function said({ name, text, at: time, process }) {
  servedBy(process);
  add(name, text, new Date(time));
}

// A deployment of the rooms shows here as another number, and nowhere else.
function servedBy(process) {
  state(`connected, served by process ${process}`, 'open');
}

function state(text, kind) {
  at('state').textContent = text;
  at('state').className = kind;
}

function add(name, text, time) {
  const line = document.createElement('li');
  line.className = name === me.name ? 'mine' : '';
  const who = document.createElement('b');
  who.textContent = name;
  const when = document.createElement('time');
  when.textContent = time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const what = document.createElement('p');
  what.textContent = text;
  line.append(who, when, what);
  append(line);
}

function note(text) {
  const line = document.createElement('li');
  line.className = 'note';
  line.textContent = text;
  append(line);
}

function append(line) {
  const list = at('messages');
  // Who reads what was said before is left in peace.
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  list.append(line);
  while (list.children.length > MESSAGES_MAX) list.firstChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function people(names) {
  at('count').textContent = `(${names.length})`;
  at('people').replaceChildren(
    ...names.map((name) => {
      const item = document.createElement('li');
      item.textContent = name;
      return item;
    }),
  );
}
