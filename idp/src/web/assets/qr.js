// Asks what became of the code and opens the page again when that changed. Without scripts the page reloads by itself.
(function () {
  "use strict";
  var news = document.getElementById("news");
  var shown;
  if (!news || !window.XMLHttpRequest || !window.JSON) {
    return;
  }
  shown = news.getAttribute("data-stage") + " " + news.getAttribute("data-contested");
  function later(seconds) {
    window.setTimeout(ask, seconds * 1000);
  }
  function ask() {
    var request = new XMLHttpRequest();
    if (document.hidden) {
      later(2);
      return;
    }
    request.open("GET", news.getAttribute("data-news"), true);
    request.onload = function () {
      var told;
      if (request.status === 429) {
        later(10);
        return;
      }
      if (request.status === 200) {
        told = JSON.parse(request.responseText);
        if (told.stage + " " + told.contested === shown) {
          later(2);
          return;
        }
      }
      window.location.replace(news.getAttribute("data-here"));
    };
    request.onerror = function () {
      later(5);
    };
    request.send();
  }
  if (/^(waiting|scanned|approved)/.test(shown)) {
    later(2);
  }
}());
