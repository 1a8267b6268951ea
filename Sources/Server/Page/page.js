'use strict';

// The page talks to the daemon that serves it, and to nobody else. Names and paths only ever become text.

const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');

// ---- The token: handed over in the fragment, which browsers do not send, and kept for this tab.

const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.get('token')) {
  sessionStorage.setItem('token', fragment.get('token'));
  history.replaceState(null, '', location.pathname + location.search);
}

/** An error in words for people. */
class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function request(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${sessionStorage.getItem('token') ?? ''}` };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'The daemon does not answer. Is it running? Try: systemctl status likeness');
  }
  if (reply.ok) return reply;
  let detail = `The daemon refused with status ${reply.status}.`;
  try {
    detail = sentence((await reply.json()).detail) || detail;
  } catch { /* A reply without a reason keeps the general one. */ }
  throw new Refusal(reply.status, detail);
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.') : '');

function complain(error) {
  if (error.name === 'AbortError') return;
  if (error.status === 401) return askForToken();
  element('message').textContent = error.message;
  element('message').hidden = false;
}

function askForToken() {
  const hadOne = sessionStorage.getItem('token');
  sessionStorage.removeItem('token');
  element('token-help').textContent = hadOne
    ? 'The daemon does not accept this token; it may have been started anew. Run “likeness status” to see the page’s address, or paste the token here.'
    : 'This page needs the token of your daemon. Run “likeness status” to see the page’s address with it, or paste the token here.';
  element('key').hidden = false;
  element('query').hidden = true;
  element('loading').hidden = true;
  element('count').textContent = '';
  element('token').focus();
}

element('key').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = element('token').value.trim().replace(/^.*token=/, '');
  if (!text) return element('token').focus();
  sessionStorage.setItem('token', text);
  element('token').value = '';
  start();
});

// ---- The collection: which one, how many images, how far loading is, what somebody should know.

let collection = new URLSearchParams(location.search).get('collection') ?? 'default';

/** A path with its parameters, for the collection that is looked at. */
function within(path, parameters = {}) {
  const query = new URLSearchParams(parameters);
  if (collection !== 'default') query.set('collection', collection);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** A chooser, where there is a choice. */
function showCollections(names) {
  const chooser = element('collection');
  if (chooser.options.length !== names.length || names.some((text, index) => chooser.options[index].value !== text)) {
    chooser.replaceChildren(...names.map((text) => new Option(text)));
  }
  chooser.value = collection;
  chooser.hidden = names.length < 2 && collection === 'default';
}

element('collection').addEventListener('change', (event) => {
  collection = event.target.value;
  // A number means another image in another collection, a photo the same.
  if (query?.id) leaveExample();
  history.pushState(null, '', within('/'));
  showStatus();
  search();
});

let statusTimer;

async function showStatus() {
  clearTimeout(statusTimer);
  let delay = 15000;
  try {
    const status = await (await request('/v1/status')).json();
    const collections = status.collections ?? [];
    const { images } = (collections.find((one) => one.name === collection) ?? status).counts;
    const { waiting } = status.counts;
    showCollections(collections.map((one) => one.name));
    element('count').textContent = `${number.format(images)} ${images === 1 ? 'image' : 'images'}`;
    const isLoading = waiting > 0;
    element('loading').hidden = !isLoading;
    if (isLoading) {
      const { done, total, images_per_second: rate, remaining_s: remaining, paused } = status.progress;
      element('progress').max = Math.max(1, total);
      element('progress').value = done;
      const pace = paused ? `paused: ${paused}` : `${number.format(Math.round(rate))} a second${remaining ? `, ${duration(remaining)} left` : ''}`;
      element('progress-text').textContent = `Loading ${number.format(waiting)} more, ${pace}`;
      delay = 2000;
    }
    showWarnings(status.warnings);
  } catch (error) {
    if (error.status === 401) return askForToken();
    element('count').textContent = error.message;
  }
  // A tab that nobody sees asks nothing.
  if (!document.hidden) statusTimer = setTimeout(showStatus, delay);
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && sessionStorage.getItem('token')) showStatus();
});

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

let warningsShown = '';

function showWarnings(warnings) {
  const text = JSON.stringify(warnings);
  // Written anew only when they change, so that a screen reader says them once.
  if (text === warningsShown) return;
  warningsShown = text;
  element('warnings').replaceChildren(...warnings.map((warning) => {
    const line = document.createElement('p');
    const title = document.createElement('strong');
    title.textContent = warning.kind === 'untrained-model'
      ? 'Untrained model: finds copies, not similar pictures. ' : `${sentence(warning.detail)} `;
    const fix = document.createElement('span');
    fix.className = 'fix';
    fix.textContent = sentence(warning.fix);
    line.append(title, fix);
    return line;
  }));
}

// ---- Searching: by a file, or by an image of the collection.

let query = null; // { file } or { id }
let running = null;

function searchFile(file) {
  if (!file) return;
  if (file.type && !/^image\/(jpeg|png)$/.test(file.type)) {
    return complain(new Error(`“${file.name}” is not a JPEG or PNG image.`));
  }
  query = { file };
  history.pushState(null, '', within('/'));
  showExample(URL.createObjectURL(file), file.name || 'Pasted image');
  search();
}

function searchID(id, isNew = true) {
  query = { id };
  if (isNew) history.pushState(null, '', within('/', { id }));
  showExample('', `More like image ${id}`);
  describeExample(id);
  search();
}

async function describeExample(id) {
  try {
    const image = await (await request(within(`/v1/images/${id}`))).json();
    if (query?.id !== id) return;
    const picture = await thumbnail(id, 360);
    if (query?.id !== id) return URL.revokeObjectURL(picture);
    showExample(picture, `More like ${name(image.path)}`);
  } catch { /* The search itself says what is wrong. */ }
}

element('example-picture').addEventListener('error', (event) => { event.target.hidden = true; });

function showExample(address, text) {
  const picture = element('example-picture');
  if (picture.src) URL.revokeObjectURL(picture.src);
  if (address) picture.src = address; else picture.removeAttribute('src');
  picture.hidden = !address;
  picture.alt = address ? 'The photo that is searched for' : '';
  element('example-name').textContent = text;
  element('example').hidden = false;
}

/** No example any more, and so no results. */
function leaveExample() {
  query = null;
  running?.abort();
  element('example').hidden = true;
  element('summary').textContent = '';
  showResults([], new AbortController().signal);
}

async function search() {
  if (!query) return;
  running?.abort();
  const mine = running = new AbortController();
  const limit = element('limit').value;
  element('message').hidden = true;
  element('summary').textContent = 'Searching…';
  element('results').classList.add('waiting');
  try {
    const began = performance.now();
    const reply = query.file
      ? await request(within('/v1/search', { limit }), {
        method: 'POST',
        body: query.file,
        headers: { 'Content-Type': query.file.type || 'application/octet-stream' },
        signal: mine.signal,
      })
      : await request(within(`/v1/images/${query.id}/similar`, { limit }), { signal: mine.signal });
    const found = await reply.json();
    if (mine !== running) return;
    showResults(found.results, mine.signal);
    const count = found.results.length;
    element('summary').textContent = count === 0
      ? 'Nothing found: there are no other images yet.'
      : `${number.format(count)} of ${number.format(found.total)} images in ${Math.max(1, Math.round(performance.now() - began))} ms`;
  } catch (error) {
    if (mine !== running) return;
    element('summary').textContent = '';
    showResults([], mine.signal);
    complain(error);
  } finally {
    if (mine === running) element('results').classList.remove('waiting');
  }
}

// ---- The gallery.

const name = (path) => path.slice(path.lastIndexOf('/') + 1);

async function thumbnail(id, size, signal) {
  const reply = await request(within(`/v1/images/${id}/thumbnail`, { size }), { signal });
  return URL.createObjectURL(await reply.blob());
}

function showResults(results, signal) {
  for (const picture of element('results').querySelectorAll('img[src]')) URL.revokeObjectURL(picture.src);
  const waiting = [];
  element('results').replaceChildren(...results.map((result) => {
    const item = element('result').content.cloneNode(true).firstElementChild;
    const [button, picture] = [item.querySelector('.picture'), item.querySelector('img')];
    const file = name(result.path);
    picture.alt = file;
    // A broken picture leaves a calm empty frame; the name stands below it.
    picture.addEventListener('error', () => picture.removeAttribute('src'));
    button.setAttribute('aria-label', `More like ${file}`);
    button.title = 'More like this';
    button.addEventListener('click', () => searchID(result.id));
    item.querySelector('.name').textContent = file;
    item.querySelector('.name').title = result.path;
    item.querySelector('meter').value = Math.max(0, result.score);
    item.querySelector('meter').setAttribute('aria-label', 'Similarity');
    item.querySelector('.score span').textContent = result.score.toFixed(3);
    const open = item.querySelector('.open');
    open.setAttribute('aria-label', `Open original of ${file}`);
    open.addEventListener('click', () => openOriginal(result));
    waiting.push([result.id, picture]);
    return item;
  }));
  // Four at a time, the best first: a hundred at once would only wait for each other.
  const fill = async () => {
    while (waiting.length > 0 && !signal.aborted) {
      const [id, picture] = waiting.shift();
      try {
        const address = await thumbnail(id, 360, signal);
        if (picture.isConnected) picture.src = address; else URL.revokeObjectURL(address);
      } catch (error) {
        if (error.name !== 'AbortError') picture.closest('.picture').title = error.message;
      }
    }
  };
  for (let worker = 0; worker < 4; worker += 1) fill();
}

// ---- The original, in its own layer.

async function openOriginal(result) {
  const [picture, save, state] = [element('original-picture'), element('original-save'), element('original-state')];
  element('original-name').textContent = `${result.path} · ${result.width} × ${result.height}`;
  state.textContent = 'Loading…';
  element('original').showModal();
  try {
    const blob = await (await request(within(`/v1/images/${result.id}/content`))).blob();
    if (!element('original').open) return;
    picture.src = save.href = URL.createObjectURL(blob);
    save.download = name(result.path);
    picture.alt = name(result.path);
    state.textContent = '';
    picture.hidden = save.hidden = false;
  } catch (error) {
    state.textContent = error.message;
  }
}

element('original').addEventListener('close', () => {
  const picture = element('original-picture');
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.removeAttribute('src');
  picture.hidden = element('original-save').hidden = true;
});

// ---- Ways in: choose, drop, paste, the slider, and addresses such as /?id=5.

element('file').addEventListener('change', (event) => {
  searchFile(event.target.files[0]);
  event.target.value = '';
});

let slide;
element('limit').addEventListener('input', () => {
  element('limit-shown').textContent = element('limit').value;
  clearTimeout(slide);
  slide = setTimeout(search, 200);
});

// The whole window takes a drop, so that a miss does not replace the page by the photo.
addEventListener('dragover', (event) => {
  event.preventDefault();
  element('drop').classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) element('drop').classList.remove('over');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  element('drop').classList.remove('over');
  if (!element('query').hidden) searchFile(event.dataTransfer.files[0]);
});
addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (file && !element('query').hidden) searchFile(file);
});

function readAddress() {
  const address = new URLSearchParams(location.search);
  collection = address.get('collection') ?? 'default';
  const id = address.get('id');
  if (id && /^\d+$/.test(id)) searchID(Number(id), false);
}
addEventListener('popstate', readAddress);

function start() {
  if (!sessionStorage.getItem('token')) return askForToken();
  element('key').hidden = true;
  element('query').hidden = false;
  element('message').hidden = true;
  showStatus();
  readAddress();
}

start();
