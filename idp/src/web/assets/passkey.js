// Passkeys: hands the page's challenge to the browser and posts what it answers in the page's own form. Where the browser
// has no passkeys, the form stays hidden and the page is complete without it.
(function () {
  "use strict";
  var form = document.getElementById("passkey");
  if (!form || !window.PublicKeyCredential || !navigator.credentials || !window.JSON) {
    return;
  }
  var create = form.getAttribute("data-kind") === "create";
  var button = document.getElementById(create ? "create-passkey" : "use-passkey");
  var options = JSON.parse(form.getAttribute("data-options"));
  var waiting = null;

  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    var all = new Uint8Array(plain.length);
    for (var i = 0; i < plain.length; i += 1) {
      all[i] = plain.charCodeAt(i);
    }
    return all.buffer;
  }

  function text(buffer) {
    var all = new Uint8Array(buffer);
    var plain = "";
    for (var i = 0; i < all.length; i += 1) {
      plain += String.fromCharCode(all[i]);
    }
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function show(id, shown) {
    var element = document.getElementById(id);
    if (element) {
      element.hidden = !shown;
    }
  }

  function send(credential) {
    var from = credential.response;
    var response = { clientDataJSON: text(from.clientDataJSON) };
    if (create) {
      response.attestationObject = text(from.attestationObject);
    } else {
      response.authenticatorData = text(from.authenticatorData);
      response.signature = text(from.signature);
      response.userHandle = from.userHandle ? text(from.userHandle) : null;
    }
    var answer = { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: response };
    document.getElementById("credential").value = JSON.stringify(answer);
    form.submit();
  }

  function failed(error) {
    var known = create && error && error.name === "InvalidStateError";
    show("passkey-known", known);
    show("passkey-failed", !known);
    button.disabled = false;
    offer();
  }

  function ask() {
    if (waiting) {
      waiting.abort();
      waiting = null;
    }
    show("passkey-known", false);
    show("passkey-failed", false);
    button.disabled = true;
    var wanted = { publicKey: options };
    var asked = create ? navigator.credentials.create(wanted) : navigator.credentials.get(wanted);
    asked.then(send, failed);
  }

  // The number's field lists passkeys beside what it remembers; nothing happens until one is chosen.
  function offer() {
    var can = window.PublicKeyCredential.isConditionalMediationAvailable;
    if (!form.hasAttribute("data-autofill") || !can || !window.AbortController) {
      return;
    }
    can.call(window.PublicKeyCredential).then(function (available) {
      if (available && !waiting && !button.disabled) {
        waiting = new window.AbortController();
        var quiet = { publicKey: options, mediation: "conditional", signal: waiting.signal };
        navigator.credentials.get(quiet).then(send, function () {});
      }
    }, function () {});
  }

  options.challenge = bytes(options.challenge);
  if (options.user) {
    options.user.id = bytes(options.user.id);
  }
  ["allowCredentials", "excludeCredentials"].forEach(function (list) {
    (options[list] || []).forEach(function (known) {
      known.id = bytes(known.id);
    });
  });
  form.hidden = false;
  show("passkey-missing", false);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    ask();
  });
  offer();
}());
