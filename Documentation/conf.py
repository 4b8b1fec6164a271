# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""How Sphinx builds these documents; see the Makefile beside this file."""

project = 'ib_vrb and ib_tavor'
copyright = ''  # pylint: disable=redefined-builtin
html_show_copyright = False
html_show_sphinx = False
html_theme = 'alabaster'
html_static_path = ['_static']
html_theme_options = {'page_width': '1100px', 'sidebar_width': '260px'}
highlight_language = 'none'
primary_domain = 'c'
extensions = []
exclude_patterns = ['output']

# Words of the kernel's headers that are not C, as the kernel's own conf.py has them.
c_id_attributes = ['__iomem', '__user', '__rcu', '__must_check', '__printf', '__init', '__exit', 'noinline']
