new Intl.NumberFormat("de").format(1);
