// Goes on when every frame has loaded, and does not wait for one that never will. Without scripts there is the link.
(function () {
  "use strict";
  var gone = false;
  function go() {
    var link = document.getElementById("continue");
    if (link && !gone) {
      gone = true;
      window.location.replace(link.href);
    }
  }
  if (document.readyState === "complete") {
    go();
  } else {
    window.addEventListener("load", go, false);
    window.setTimeout(go, 4000);
  }
}());
