define([], function () {
    'use strict';

    /** The date in the shop's time zone, as 2026-11-23: "today" is the shop's today, not the visitor's. */
    function dateInShop(now, timeZone) {
        var parts = {};

        new Intl.DateTimeFormat('en-CA', {timeZone: timeZone, year: 'numeric', month: '2-digit', day: '2-digit'})
            .formatToParts(now)
            .forEach(function (part) {
                parts[part.type] = part.value;
            });

        return parts.year + '-' + parts.month + '-' + parts.day;
    }

    /** The line for a moment; empty when the page is older than all it knows. */
    function line(config, now) {
        var next = config.moments.filter(function (moment) {
            return moment.until * 1000 > now.getTime();
        })[0];

        if (!next) {
            return '';
        }

        return next.date === dateInShop(now, config.timeZone)
            ? config.today.replace('%1', next.hour)
            : config.later.replace('%1', next.day);
    }

    return function (config, element) {
        var text = line(config, new Date());

        element.textContent = text;
        element.hidden = text === '';
    };
});
