"""The reviewer's pages (审核页面): the same use cases as the API, for a browser."""
