// OpenID Connect Session Management: answers a client's page, which sends "client_id session_state". Written for browsers
// without modern JavaScript, so it brings its own SHA-256 (FIPS 180-4).
(function () {
  "use strict";
  var K = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
  ];

  function rotate(word, by) {
    return (word >>> by) | (word << (32 - by));
  }

  // The text is ASCII: a client_id, an origin, a cookie and a salt.
  function sha256(text) {
    var hash = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    var words = [];
    var length = text.length;
    var last = ((length + 8) >> 6) * 16 + 15;
    var i, at, w, s, a, b, t, u;
    for (i = 0; i <= last; i += 1) {
      words[i] = 0;
    }
    for (i = 0; i < length; i += 1) {
      words[i >> 2] |= (text.charCodeAt(i) & 255) << (24 - (i % 4) * 8);
    }
    words[length >> 2] |= 128 << (24 - (length % 4) * 8);
    words[last] = length * 8;
    for (at = 0; at < words.length; at += 16) {
      w = words.slice(at, at + 16);
      s = hash.slice(0);
      for (i = 0; i < 64; i += 1) {
        if (i >= 16) {
          a = w[i - 15];
          b = w[i - 2];
          w[i] = (w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) + w[i - 7] +
            (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10))) | 0;
        }
        t = (s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
          ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i]) | 0;
        u = ((rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
        s = [(t + u) | 0, s[0], s[1], s[2], (s[3] + t) | 0, s[4], s[5], s[6]];
      }
      for (i = 0; i < 8; i += 1) {
        hash[i] = (hash[i] + s[i]) | 0;
      }
    }
    t = "";
    for (i = 0; i < 8; i += 1) {
      t += ("00000000" + (hash[i] >>> 0).toString(16)).slice(-8);
    }
    return t;
  }

  function browserState() {
    var found = /(?:^|; *)idp_state=([A-Za-z0-9_\-]+)/.exec(document.cookie);
    return found ? found[1] : "";
  }

  function compare(data, origin) {
    var parts = typeof data === "string" ? /^([A-Za-z0-9._\-]+) ([0-9a-f]{64})\.([A-Za-z0-9_\-]+)$/.exec(data) : null;
    if (!parts) {
      return "error";
    }
    var now = sha256(parts[1] + " " + origin + " " + browserState() + " " + parts[3]);
    return now === parts[2] ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    // A page without an origin cannot be a client's, and could not be answered.
    if (event.source && event.origin && event.origin !== "null") {
      event.source.postMessage(compare(event.data, event.origin), event.origin);
    }
  }, false);
}());
