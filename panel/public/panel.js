// Adds to pages that work without it: live progress, folders that open in place, boxes for all.
'use strict';

(function () {
  const live = document.getElementById('live');
  const said = document.getElementById('said');

  function show(status) {
    if (status.ended) {
      // The page itself shows how it ended.
      location.reload();
      return false;
    }
    const open = live.querySelector('details[open]') !== null;
    const focused = document.activeElement !== null && live.contains(document.activeElement);
    const page = new DOMParser().parseFromString(status.fragment, 'text/html');
    live.replaceChildren(...page.body.childNodes);
    const events = live.querySelector('details');
    if (events !== null) {
      events.open = open;
      if (focused) events.querySelector('summary').focus();
    }
    if (said.textContent !== status.said) said.textContent = status.said;
    return true;
  }

  async function poll() {
    let again = Number(live.dataset.again);
    try {
      const answer = await fetch(live.dataset.status, { credentials: 'same-origin' });
      const isNews = (answer.headers.get('content-type') || '').includes('json');
      if (answer.status === 403 || answer.status === 404 || (answer.ok && !isNews)) {
        // Signed out, perhaps: the page itself says so.
        location.reload();
        return;
      }
      if (answer.ok) {
        const status = await answer.json();
        if (!show(status)) return;
        again = status.again;
      }
    } catch (error) {
      // The network is away; the job is not.
    }
    setTimeout(poll, again);
  }

  function watch() {
    const stream = new EventSource(live.dataset.events);
    let last = Date.now();
    stream.onmessage = function (event) {
      last = Date.now();
      if (!show(JSON.parse(event.data))) stream.close();
    };
    stream.onerror = function () {
      // A stream that ended is asked for again by the browser itself; one that was refused is not.
      if (stream.readyState === EventSource.CLOSED) setTimeout(poll, Number(live.dataset.again));
    };
    // A laptop that was closed wakes with a stream that only looks open.
    document.addEventListener('visibilitychange', function () {
      if (document.visibilityState === 'visible' && Date.now() - last > 30000) location.reload();
    });
  }

  if (live !== null) {
    if (typeof EventSource === 'function') watch();
    else poll();
  }

  // The word of a folder's button, where it has one.
  function expand(control, is) {
    control.setAttribute('aria-expanded', String(is));
    if (control.dataset.close === undefined) return;
    const word = control.firstChild.data;
    if (is) {
      control.dataset.word = word;
      control.firstChild.data = control.dataset.close;
    } else {
      control.firstChild.data = control.dataset.word;
    }
  }

  // A folder opens below its line; a second press closes it.
  async function open(control) {
    const item = control.closest('li');
    const old = item.querySelector(':scope > ul');
    if (old !== null) {
      old.hidden = !old.hidden;
      expand(control, !old.hidden);
      return;
    }
    control.setAttribute('aria-busy', 'true');
    const answer = await fetch(control.dataset.open || control.dataset.more, { credentials: 'same-origin' });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const list = page.querySelector('ul.tree');
    if (control.dataset.more) {
      const first = list.querySelector('input:not([type=hidden]), .open');
      item.replaceWith(...list.childNodes);
      if (first !== null) first.focus();
      return;
    }
    item.append(list);
    follow(item);
    control.removeAttribute('aria-busy');
    expand(control, true);
  }

  // What is below a folder that is taken is taken with it.
  function follow(item) {
    const box = item.querySelector(':scope > .node > input[type=checkbox]');
    if (box === null) return;
    for (const below of item.querySelectorAll(':scope > ul input[type=checkbox]')) {
      const taken = box.checked || box.disabled;
      if (taken && !below.disabled) below.dataset.was = below.checked ? '1' : '';
      if (taken) below.checked = true;
      else if (below.disabled) below.checked = below.dataset.was === '1';
      below.disabled = taken;
    }
    // A folder in it that is ticked itself takes what is below it all the same.
    for (const inner of item.querySelectorAll(':scope > ul > li')) follow(inner);
  }

  document.addEventListener('click', function (event) {
    const control = event.target.closest('[data-open], [data-more]');
    if (control !== null && !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(control).catch(function () {
        // Then as without JavaScript.
        delete control.dataset.open;
        delete control.dataset.more;
        control.removeAttribute('aria-busy');
        control.click();
      });
      return;
    }
    const all = event.target.closest('[data-all]');
    if (all !== null) {
      for (const box of all.closest('.picks').querySelectorAll('input[type=checkbox]:not(:disabled)')) {
        box.checked = all.dataset.all !== '';
        box.dispatchEvent(new Event('change', { bubbles: true }));
      }
    }
  });

  document.addEventListener('change', function (event) {
    const item = event.target.closest('.tree li');
    if (item !== null) follow(item);
    const form = event.target.form;
    const shown = document.querySelector('[data-estimates]');
    if (form !== null && shown !== null && form.contains(shown)) {
      const parts = ['files', 'database', 'config'].filter(function (part) {
        const take = form.elements['take_' + part];
        return take !== undefined && (take.value === 'all' || (take.value === 'parts' && form.querySelector('#' + part + ' .picks input:checked') !== null));
      });
      const time = JSON.parse(shown.dataset.estimates)[parts.join('+')];
      shown.querySelector('strong').textContent = time === undefined ? '–' : '~' + time;
    }
  });

  for (const folder of document.querySelectorAll('[data-open]')) folder.setAttribute('aria-expanded', 'false');
  for (const hidden of document.querySelectorAll('.selectall')) hidden.hidden = false;
})();
